"""intsam-inspect: everything it says, checked against the file's own bytes."""

import hashlib
import json
import math
import os
import struct
import subprocess
import time

from tools_support import Setup, ToolTest, patched, section_of, with_provenance

MICRO = "../micro.isam"
WIDTHS = {"s8": 1, "u8": 1, "s16": 2, "s32": 4, "s64": 8}


def inspect_json(test, *arguments, env=None):
    return json.loads(test.succeeds("inspect", *arguments, "--json", env=env))


def tensors_of(test, model):
    return {tensor["name"]: tensor for tensor in inspect_json(test, model, "--tensors")["tensors"]}


class Inspect(ToolTest):
    def setUp(self):
        super().setUp()
        self.model = (Setup.scratch / "micro.isam").read_bytes()

    def test_summary(self):
        self.needs("convert")  # the committed models tell little of their conversion
        report = inspect_json(self, MICRO)
        self.assertEqual(list(report), ["summary", "header", "config", "provenance", "parts", "units"])
        self.assertRegex(
            report["summary"],
            r"^SAM micro \(ViT\), 128 x 128, w8a8, file of 0\.\d MiB, needs \d+\.\d MiB for 1 thread and the photo, "
            r"random weights, calibrated on 1 photo, tier here \w+$",
        )
        header = report["header"]
        hashes = inspect_json(self, MICRO, "--hashes")["hashes"]
        self.assertEqual((header["version"], header["file_bytes"]), (7, len(self.model)))
        for name in ("fields", "provenance", "directory", "data"):
            offset, size = section_of(self.model, name)
            self.assertEqual((hashes[f"{name}_offset"], hashes[f"{name}_bytes"]), (offset, size))
            self.assertEqual(hashes[f"{name}_sha256"], hashlib.sha256(self.model[offset : offset + size]).hexdigest())
        self.assertEqual(header["identity"], hashlib.sha256(self.model[:256]).hexdigest())
        self.assertEqual(
            [report["config"][key] for key in ("image_size", "embed_dim", "depth", "mask_in_chans")], [128, 32, 2, 16]
        )
        self.assertEqual(report["provenance"]["bits"], "w8a8")
        self.assertFalse({"attentions", "layers", "key_histograms"} & set(report["provenance"]))  # too long
        self.assertEqual(
            [part["part"] for part in report["parts"]], ["image_encoder", "prompt_encoder", "mask_decoder"]
        )
        self.assertEqual(sum(part["tensors"] for part in report["parts"]), header["tensors"])
        self.assertTrue(all(unit > 0 for unit in report["units"].values()))
        text = self.succeeds("inspect", MICRO)
        self.assertEqual(text.split("\n", 1)[0], report["summary"])
        self.assertNotIn("sha256", text.replace("source_sha256", "").replace("calibration_sha256", ""))
        for word in ("header", "image_size", "provenance", "mask_decoder", "logit", header["identity"]):
            self.assertIn(word, text)

    def test_tensors_cover_the_data(self):
        end, _ = section_of(self.model, "data")
        tensors = inspect_json(self, MICRO, "--tensors")["tensors"]
        for tensor in tensors:
            self.assertEqual(tensor["offset"], (end + 63) // 64 * 64, tensor)
            self.assertEqual(tensor["bytes"], math.prod(tensor["shape"]) * WIDTHS[tensor["type"]], tensor)
            end = tensor["offset"] + tensor["bytes"]
        self.assertEqual(end, sum(section_of(self.model, "data")))
        self.assertIn("16x4", self.succeeds("inspect", MICRO, "--tensors"))

    def test_fields_are_those_of_the_file(self):
        offset, size = section_of(self.model, "fields")
        stored = struct.unpack_from(f"<{size // 8}q", self.model, offset)
        fields = inspect_json(self, MICRO, "--fields")["fields"]
        self.assertEqual([field["value"] for field in fields], list(stored))
        self.assertEqual(len({field["path"] for field in fields}), len(fields))
        for field in fields:
            self.assertTrue(field.get("min", 0) <= field["value"] <= field.get("max", 1 << 64), field)

    def test_waits_for_a_slow_reader(self):
        self.needs("inspect")
        command = Setup.command("inspect", MICRO, "--fields", "--json")
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=self.dir) as tool:
            time.sleep(2)  # longer than it takes to fill a pipe
            text = tool.stdout.read()
        self.assertGreater(len(text), 1 << 16)  # what a pipe holds
        self.assertTrue(json.loads(text)["fields"])
        self.assertEqual(tool.returncode, 0)

    def test_site(self):
        site = "image_encoder.blocks.1"
        report = inspect_json(self, MICRO, "--fields", "--tensors", "--proof", "--site", site)
        for section, key in (("fields", "path"), ("tensors", "name"), ("proof", "layer")):
            self.assertTrue(report[section])
            self.assertTrue(all(row[key].startswith(site + ".") for row in report[section]))
        one = inspect_json(self, MICRO, "--fields", "--site", "config.depth")
        self.assertEqual([row["path"] for row in one["fields"]], ["config.depth"])

    def test_site_by_a_part_of_its_name(self):
        neck = inspect_json(self, MICRO, "--tensors", "--site", "image_encoder.neck")
        self.assertTrue(neck["tensors"])
        self.assertEqual(inspect_json(self, MICRO, "--tensors", "--site", "neck"), neck)
        second = inspect_json(self, MICRO, "--tensors", "--site", "blocks.1")
        self.assertEqual(second, inspect_json(self, MICRO, "--tensors", "--site", "image_encoder.blocks.1"))
        self.fails(2, "inspect", MICRO, "--tensors", "--site", "NEC", says=("'NEC'", "there is image_encoder.neck"))
        self.assertNotIn("there is", self.fails(2, "inspect", MICRO, "--tensors", "--site", "nothing like it"))

    def test_proof(self):
        """The bound of a layer on 16 bits, computed from the file by its definition."""
        layers = {row["layer"]: row for row in inspect_json(self, MICRO, "--proof")["proof"]}
        tensors = tensors_of(self, MICRO)
        layer = "mask_decoder.iou_prediction_head.layers.0.linear"
        weight, bias = tensors[layer + ".weight"], tensors[layer + ".bias"]
        panels, steps, columns, depth = weight["shape"]
        values = struct.unpack_from(f"<{weight['bytes']}b", self.model, weight["offset"])
        magnitudes = [0] * (panels * columns)
        for at, value in enumerate(values):
            magnitudes[at // (steps * columns * depth) * columns + at // depth % columns] += abs(value)
        biases = struct.unpack_from(f"<{bias['shape'][0]}i", self.model, bias["offset"])
        bounds = [32767 * magnitude + abs(value) for magnitude, value in zip(magnitudes, biases)]
        self.assertEqual(
            (layers[layer]["accumulator_max"], layers[layer]["channel"]), (max(bounds), bounds.index(max(bounds)))
        )
        for row in layers.values():
            headroom = math.log2((2**31 - 1 - 2**23) / max(row["accumulator_max"], 1))
            self.assertAlmostEqual(row["headroom_bits"], headroom, delta=0.0101)
            self.assertGreaterEqual(row["headroom_bits"], 0)
        linear = {name[: -len(".weight")] for name, tensor in tensors.items() if name.endswith(".weight")}
        self.assertEqual(linear - set(layers), set())  # every layer with weights, patch_embed apart, is in the proof
        self.assertIn("image_encoder.patch_embed", layers)

    def test_verify(self):
        self.assertIn("verify", inspect_json(self, MICRO, "--verify"))
        offset, size = section_of(self.model, "data")
        self.write(
            "bad.isam",
            self.model[: offset + size - 1] + bytes([self.model[offset + size - 1] ^ 1]) + self.model[offset + size :],
        )
        self.fails(4, "inspect", "bad.isam", "--verify", "--json", says=("bad.isam", "data: checksum"))

    def test_memory(self):
        rows = inspect_json(self, MICRO, "--memory")["memory"]
        self.assertEqual([row["threads"] for row in rows][:3], [1, 2, 4])
        arenas = [row["arena_bytes"] for row in rows]
        self.assertEqual(arenas, sorted(arenas))
        self.assertTrue(0 < arenas[0] and all(row["model_bytes"] == len(self.model) for row in rows))
        self.assertEqual([row["threads"] for row in inspect_json(self, MICRO, "--memory", "-t", "3")["memory"]], [3])

    def test_kernels(self):
        tiers = inspect_json(self, "--kernels")["kernels"]
        self.assertEqual(tiers[-1]["tier"], "scalar")
        self.assertEqual(
            [row["chosen"] for row in tiers], [row is next(r for r in tiers if r["supported"]) for row in tiers]
        )
        forced = inspect_json(self, "--kernels", env={"INTSAM_ISA": "scalar"})["kernels"]
        self.assertEqual([row["tier"] for row in forced if row["chosen"]], ["scalar"])

    def test_limits(self):
        limits = {row["limit"]: row["value"] for row in inspect_json(self, "--limits")["limits"]}
        self.assertEqual((limits["model file"], limits["model tensors"], limits["threads"]), (2 << 30, 4096, 256))
        self.assertEqual(
            (limits["image file side"], limits["prompts per object"], limits["checkpoint file"]), (32768, 256, 8 << 30)
        )
        self.assertIn("2147483648", self.succeeds("inspect", "--limits"))

    def test_self_test(self):
        supported = [row["tier"] for row in inspect_json(self, "--kernels")["kernels"] if row["supported"]]
        rows = inspect_json(self, MICRO, "--self-test", "-t", "1")["self_test"]
        self.assertEqual([row["tier"] for row in rows], supported)
        self.assertEqual(len({tuple(value for key, value in row.items() if key != "tier") for row in rows}), 1)
        self.assertEqual(
            inspect_json(self, MICRO, "--self-test", "-t", "3", env={"INTSAM_ISA": "scalar"})["self_test"], rows
        )
        self.other_model()
        self.assertNotEqual(
            inspect_json(self, "other.isam", "--self-test")["self_test"][0]["logits"], rows[0]["logits"]
        )

    def test_hostile_provenance(self):
        """It is text of a stranger: shown, never trusted to be JSON, shallow, UTF-8 or harmless to a terminal."""
        deep = 10000
        for text in (b"\x1b[31m\x00\xff\xc2\x9b", b"[" * deep, b'{"a":"\\u001b[31m\x7f\xc2\x9b"}', b"{" * deep):
            path = self.write("hostile.isam", with_provenance(self.model, text))
            self.assertRegex(self.succeeds("inspect", path), r"^[\n -~]*$")
            self.assertIn("provenance", inspect_json(self, path))
        # As text, where reading it would take the square of its size.
        keys = b"{" + b",".join([b'"":0'] * 1025) + b"}"
        path = self.write("hostile.isam", with_provenance(self.model, keys))
        self.assertEqual(inspect_json(self, path)["provenance"], keys.decode())

    def test_closed_pipe_is_no_crash(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            Setup.command("inspect", "--limits"),
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
            restore_signals=False,
        )  # Python ignores SIGPIPE, and so does the tool then
        os.close(write)
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (3, 1))
