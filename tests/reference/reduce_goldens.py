#!/usr/bin/env python3
"""Makes the goldens of this folder small enough to keep: drops the masks at photo size and, with --every N, keeps each
N-th row and column of the maps (embedding, low_res), which the test samples alike.

  tests/reference/reduce_goldens.py GOLDEN.safetensors OUT.safetensors [--every N]

Standard library only.
"""
import argparse
import json
import struct


def read(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])])
            for name, entry in header.items()}


def sample(shape, data, every):
    """Each `every`-th row and column of [maps][rows][columns] of four bytes each."""
    maps, rows, columns = shape
    kept = b"".join(data[4 * ((m * rows + y) * columns + x):][:4]
                    for m in range(maps) for y in range(0, rows, every) for x in range(0, columns, every))
    return [maps, -(-rows // every), -(-columns // every)], kept


def main():
    parser = argparse.ArgumentParser(description="Reduces a golden file.")
    parser.add_argument("golden")
    parser.add_argument("out")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    header, body = {}, b""
    for name, (dtype, shape, data) in read(options.golden).items():
        if name.endswith(".mask"):
            continue
        if options.every > 1 and (name == "embedding" or name.endswith(".low_res")):
            shape, data = sample(shape, data, options.every)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(options.out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


if __name__ == "__main__":
    main()
