"""One figure, in a process of its own, as one line of JSON:
  measure.py SYSTEM FOLDER --threads N      seconds of one encoder run after a warm-up, decoder, peak memory, cosine
  measure.py SYSTEM FOLDER --threads N --everything MODEL  seconds and peak memory of everything mode
  measure.py intsam FOLDER --embedding FILE cosine of an embedding that intsam-segment saved
  measure.py reference FOLDER --embedding FILE  relative L2 distance of what float_embedding wrote
The process loads encoder and decoder and runs both, as a program that segments would. What the measurement itself
needs (the expected embedding) is read after the peak memory has been taken."""
import argparse
import json
import pathlib
import resource
import statistics
import sys
import time

import numpy

import models
import runtimes
import systems

DECODES = 30
DECODER_WARM_UPS = 3


def cosine(a, b):
    a, b = a.astype(numpy.float64).ravel(), b.astype(numpy.float64).ravel()
    return float(a @ b / (numpy.linalg.norm(a) * numpy.linalg.norm(b)))


def expected_embedding(folder):
    return numpy.load(folder / "checkpoint" / systems.INPUTS)["photo_embedding"]


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def measure(system, folder, threads):
    with numpy.load(folder / "checkpoint" / systems.INPUTS) as inputs:
        image = inputs["photo"]
    model = runtimes.load(system, folder, threads)
    model.encode(image)
    cpu_start = time.process_time()
    encoder_s, embedding = timed(lambda: model.encode(image))
    cpu_s = time.process_time() - cpu_start
    embedding = numpy.ascontiguousarray(embedding)
    coords, labels = runtimes.prompt(image.shape[-1])
    decoder_s = [timed(lambda: model.decode(embedding, coords, labels))[0] for _ in range(DECODER_WARM_UPS + DECODES)]
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "encoder_s": encoder_s,
        "encoder_cpu_s": cpu_s,
        "decoder_s": statistics.median(decoder_s[DECODER_WARM_UPS:]),
        "peak_rss_mib": peak_kib / 1024,
        "precision": getattr(model, "precision", None),
        "cosine": cosine(embedding, expected_embedding(folder)),
    }


def measure_everything(system, folder, threads, name):
    with numpy.load(folder / "checkpoint" / systems.INPUTS) as inputs:
        image = inputs["photo"]
    model = runtimes.load(system, folder, threads)
    everything_s, masks = timed(lambda: model.everything(folder, image, name))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"everything_s": everything_s, "peak_rss_mib": peak_kib / 1024, "masks": masks,
            "precision": getattr(model, "precision", None)}


def saved_embedding(path, size):
    """Of what intsam-segment saved, a header, 16-bit codes in the order [row][column][channel] and a SHA-256
    (runtime/exec/session.cc), the codes: so many."""
    codes = numpy.frombuffer(path.read_bytes()[-32 - 2 * size:-32], dtype="<i2")
    if codes.size != size:
        raise SystemExit(f"{path}: too short for {size} values")
    return codes


def saved_embedding_cosine(path, folder):
    """The unit of the codes is of no matter to a cosine."""
    expected = expected_embedding(folder)[0].transpose(1, 2, 0)
    codes = saved_embedding(path, expected.size)
    return {"cosine": cosine(codes, expected)}


def float_embedding_error(path, folder):
    """The file: float32 in the order [row][column][channel]."""
    expected = expected_embedding(folder)[0].transpose(1, 2, 0).astype(numpy.float64)
    found = numpy.fromfile(path, dtype=numpy.float32)
    if found.size != expected.size:
        raise SystemExit(f"measure.py: {path}: {found.size} values in place of {expected.size}")
    return {"relative_l2": float(numpy.linalg.norm(found - expected.ravel()) / numpy.linalg.norm(expected))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=[*systems.SYSTEMS, "intsam", "reference"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--embedding", type=pathlib.Path)
    parser.add_argument("--everything", choices=models.NAMES, metavar="MODEL")
    options = parser.parse_args()
    if options.system == "intsam":
        result = saved_embedding_cosine(options.embedding, options.folder)
    elif options.system == "reference":
        result = float_embedding_error(options.embedding, options.folder)
    elif options.everything:
        result = measure_everything(options.system, options.folder, options.threads, options.everything)
    else:
        result = measure(options.system, options.folder, options.threads)
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
