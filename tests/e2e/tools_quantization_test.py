"""intsam-inspect on how a model is quantized: its records, and what conversion measured, which nobody has to believe."""

import json

from tools_support import Setup, ToolTest, with_provenance

MICRO = "../micro.isam"
ATTENTION = "mask_decoder.transformer.final_attn_token_to_image"
VARIANTS = ("exact", "uniform", "agq")


class Quantization(ToolTest):
    def inspect_json(self, *arguments):
        return json.loads(self.succeeds("inspect", *arguments, "--json"))

    def convert(self, *arguments):
        self.succeeds("convert", "--synthetic", "micro", "-t", "1", "-q", "-o", "m.isam", *arguments)
        return "m.isam"

    def with_provenance(self, provenance):
        """The micro model under this provenance, an object or its text."""
        model = (Setup.scratch / "micro.isam").read_bytes()
        text = provenance if isinstance(provenance, str) else json.dumps(provenance)
        return self.write("hostile.isam", with_provenance(model, text.encode()))

    def test_rows_are_those_of_the_records(self):
        model = self.convert("--bits", "w6a5,decoder=w4a8,neck=w8a8", "--softmax", "agq")
        report = self.inspect_json(model, "--quantization", "--fields")
        fields = {row["path"]: row["value"] for row in report["fields"]}
        ends = lambda end: [path[: -len(end)] for path in fields if path.endswith(end)]
        self.assertEqual([row["attention"] for row in report["attentions"]], ends(".softmax.variant"))
        for row in report["attentions"]:
            record = row["attention"] + ".softmax."
            self.assertEqual(row["softmax"], VARIANTS[fields[record + "variant"]])
            self.assertEqual((row["bits"], row["tau"]), (fields[record + "bits"], 1 << fields[record + "tau_shift"]))
            self.assertTrue(row["error_uniform"] > 0 and row["error_agq"] > 0 and row["peaks"] > 0)
        layers = {row["layer"]: row for row in report["layers"]}
        self.assertEqual(len(layers), len(report["layers"]))
        for name, row in layers.items():
            self.assertEqual(row["weight_bits"], fields[name + ".bits"])
        for name, bits in (
            ("image_encoder.blocks.0.attn.qkv", (6, 5)),
            ("image_encoder.neck.2", (8, 8)),
            (ATTENTION + ".k_proj", (4, 16)),
        ):
            self.assertEqual((layers[name]["weight_bits"], layers[name]["input_bits"]), bits)
            self.assertTrue(0 < layers[name]["output_error"] < 1)
        self.assertNotIn("output_error", layers["mask_decoder.output_upscaling.0"])  # nothing measures these
        text = self.succeeds("inspect", model, "--quantization")
        for word in ("weight_bits", "output_error", "agq", "peaks_after", ATTENTION):
            self.assertIn(word, text)

    def test_bits_under_a_size(self):
        full = (self.dir / self.convert()).stat().st_size
        most = full * 15 // 16 / 2**20
        model = self.convert("--max-mib", f"{most:.6f}")
        self.assertLessEqual((self.dir / model).stat().st_size, most * 2**20)
        layers = self.inspect_json(model, "--quantization")["layers"]
        bits = {row["weight_bits"] for row in layers if "loss" in row}
        self.assertTrue(bits <= {4, 5, 6, 7, 8} and len(bits) > 1)
        self.assertTrue(all(row["loss"] > 0 for row in layers if "loss" in row))
        for value, says in (("0", "more than 0"), ("-1", "--max-mib"), ("x", "--max-mib"), ("0.01", "the smallest file")):
            self.fails(2, "convert", "--synthetic", "micro", "-q", "-o", "none.isam", f"--max-mib={value}", says=says)

    def test_bits_under_a_time(self):
        model = self.convert("--max-ms", "60000", "--tier", "scalar")  # room for all bits
        steps = self.inspect_json(model, "--quantization")["steps"]
        self.assertEqual({(row["weight_bits"], row["activation_bits"]) for row in steps}, {(8, 8)})
        self.assertTrue(all(row["milliseconds"] > 0 and row["loss"] > 0 for row in steps))
        self.assertEqual(self.inspect_json(MICRO, "--quantization")["steps"], [])
        for arguments, says in (
            (("--max-ms", "0"), "more than 0"),
            (("--max-ms", "x"), "--max-ms"),
            (("--max-ms", "0.001"), "the fastest widths of this model take"),
            (("--max-ms", "9", "--max-mib", "9"), "--max-mib"),
            (("--max-ms", "9", "--tier", "none"), "none"),
            (("--tier", "scalar"), "--max-ms"),
        ):
            self.fails(2, "convert", "--synthetic", "micro", "-q", "-o", "none.isam", *arguments, says=says)

    def test_exact_softmax_has_no_tau(self):
        rows = self.inspect_json(self.convert("--softmax", "exact"), "--quantization")["attentions"]
        self.assertEqual({(row["softmax"], row["bits"], row["tau"]) for row in rows}, {("exact", 16, "-")})

    def test_site(self):
        report = self.inspect_json(MICRO, "--quantization", "--site", ATTENTION)
        self.assertEqual([row["attention"] for row in report["attentions"]], [ATTENTION])
        self.assertEqual(
            [row["layer"] for row in report["layers"]],
            [f"{ATTENTION}.{part}_proj" for part in ("q", "k", "v", "out")],
        )
        report = self.inspect_json(MICRO, "--quantization", "--site", "image_encoder.blocks.1.mlp")
        self.assertEqual((len(report["layers"]), report["attentions"]), (2, []))
        self.fails(2, "inspect", MICRO, "--quantization", "--site", "no.such", says="no.such")

    def test_histogram(self):
        self.needs("convert")  # the committed models tell little of their conversion
        report = self.inspect_json(MICRO, "--histogram", "--site", ATTENTION)
        self.assertEqual((list(report), list(report["key_histograms"])), (["key_histograms"], ["before", "after"]))
        for histogram in report["key_histograms"].values():
            self.assertEqual((histogram["site"], len(histogram["counts"])), (ATTENTION, 64))
            self.assertTrue(histogram["lo"] < 0 < histogram["hi"] and histogram["peaks"] >= 1)
        text = self.succeeds("inspect", MICRO, "--histogram", "--site", ATTENTION)
        bars = [line[3:].ljust(64) for line in text.splitlines() if line.startswith("  |")]
        self.assertEqual(len(bars), 2 * 16)
        for at, histogram in zip((0, 16), report["key_histograms"].values()):
            most = max(histogram["counts"])
            for column, count in enumerate(histogram["counts"]):
                height = sum(bars[row][column] == "#" for row in range(at, at + 16))
                self.assertEqual(height, -(-16 * count // most))
            self.assertIn(f"{ATTENTION}, peaks: {histogram['peaks']}\n", text)
            for end in ("lo", "hi"):
                self.assertIn(f"{histogram[end]:.4g}", text)

    def test_histogram_of_a_model_that_nothing_changed(self):
        model = self.convert("--method", "minmax")
        self.assertEqual(list(self.inspect_json(model, "--histogram", "--site", ATTENTION)["key_histograms"]), ["after"])

    def test_histogram_usage(self):
        self.fails(2, "inspect", MICRO, "--histogram", says="--site")
        for site in ("no.such", ATTENTION + ".k_proj", "image_encoder", ""):
            self.fails(2, "inspect", MICRO, "--histogram", "--site", site, says=("--histogram", f"'{site}'"))

    def test_hostile_histograms(self):
        self.needs("convert")  # the committed models tell little of their conversion
        good = {"lo": -1, "hi": 2.5, "counts": [1, 0, 3]}
        show = lambda path: self.inspect_json(path, "--histogram", "--site", ATTENTION)["key_histograms"]
        path = self.with_provenance({"key_histograms": {ATTENTION: {"before": good, "after": {**good, "x": [[]]}}}})
        self.assertEqual(show(path)["before"], {"site": ATTENTION, **good})
        self.assertEqual(show(path)["after"], {"site": ATTENTION, **good})
        for name, value in (
            ("lo", 2.5),
            ("lo", "0"),
            ("lo", None),
            ("hi", [1]),
            ("hi", True),
            ("counts", []),
            ("counts", [0] * 257),
            ("counts", [1, -1]),
            ("counts", [1, 0.5]),
            ("counts", [1 << 32]),
            ("counts", [1 << 64]),
            ("counts", ["1"]),
            ("counts", {"0": 1}),
            ("counts", 7),
        ):
            with self.subTest((name, value)):
                path = self.with_provenance({"key_histograms": {ATTENTION: {"after": {**good, name: value}}}})
                self.fails(2, "inspect", path, "--histogram", "--site", ATTENTION, says=ATTENTION)
        for provenance in (
            {"key_histograms": {ATTENTION: [good]}},
            {"key_histograms": [ATTENTION]},
            {"key_histograms": {ATTENTION: {"after": 1}}},
            {},
            [],
            "no JSON",
            '{"key_histograms":{"%s":{"after":{"lo":-1e999,"hi":1,"counts":[1]}}}}' % ATTENTION,
        ):
            with self.subTest(provenance):
                path = self.with_provenance(provenance)
                self.fails(2, "inspect", path, "--histogram", "--site", ATTENTION, says=ATTENTION)
        for counts in ([0], [0] * 256, [(1 << 32) - 1] * 2):
            path = self.with_provenance({"key_histograms": {ATTENTION: {"after": {**good, "counts": counts}}}})
            self.assertEqual(show(path)["after"]["counts"], counts)
            picture = self.succeeds("inspect", path, "--histogram", "--site", ATTENTION)
            self.assertEqual(picture.count("#"), 32 if counts[0] else 0)

    def test_hostile_measurements(self):
        """The records are shown whatever the provenance says, and of that only short scalars."""
        self.needs("convert")  # the committed models tell little of their conversion
        plain = self.inspect_json(self.with_provenance({}), "--quantization")
        self.assertEqual(list(plain["layers"][0]), ["layer", "weight_bits"])
        self.assertEqual(list(plain["attentions"][0]), ["attention", "softmax", "bits", "tau"])
        name = plain["layers"][0]["layer"]
        for lists in (1, "x", {}, [1, None, [], {}, {"layer": 1, "site": []}], {"layer": name}):
            path = self.with_provenance({"layers": lists, "attentions": lists})
            self.assertEqual(self.inspect_json(path, "--quantization"), plain)
        layer = {"layer": name, "weight_bits": 3, "input_bits": [8], "migration": {}, "shifted": "\x1b[31m", "more": 1}
        attention = {"site": ATTENTION, "softmax": "agq", "tau": 99, "key_centre": "x" * 33, "error_agq": None}
        path = self.with_provenance({"layers": [layer], "attentions": [attention]})
        report = self.inspect_json(path, "--quantization")
        self.assertEqual(report["layers"][0], {**plain["layers"][0], "shifted": "\x1b[31m"})
        self.assertEqual(report["attentions"], plain["attentions"])
        self.assertRegex(self.succeeds("inspect", path, "--quantization"), r"^[\n -~]*$")
