"""intsam-bench: what it reports is complete and consistent. Never how fast anything is."""

import json

from tools_support import Setup, ToolTest, with_provenance

MICRO = "../micro.isam"
PARTS = ("encoder", "decoder", "decoder_next")


class Bench(ToolTest):
    def bench_json(self, *arguments, env=None):
        return json.loads(self.succeeds("bench", "--rounds", "1", "-t", "1", "--json", *arguments, env=env))

    def test_a_model(self):
        report = self.bench_json(MICRO, "--no-fp32")
        header = json.loads(self.succeeds("inspect", MICRO, "--json"))["header"]
        self.assertEqual((report["model"], report["identity"]), (MICRO, header["identity"]))
        self.assertEqual((report["threads"], report["rounds"]), (1, 1))
        self.assertEqual(report["profile"], "w8a8")
        self.assertEqual(list(report["weight_bits"]), ["8"])
        for part in PARTS:
            self.assertNotIn("fp32_s", report[part])
            self.assertTrue(report[part]["int_s"] > 0 and report[part]["gmac"] > 0)
        for key in ("decoder_first_ms", "decoder_next_ms", "open_ms", "session_ms", "peak_rss_mib", "model_mib"):
            self.assertGreater(report[key], 0, key)
            self.assertAlmostEqual(report[part]["int_per_s"], 1 / report[part]["int_s"], delta=1e-9 / report[part]["int_s"])
        seconds = report["encoder"]["int_s"] + report["decoder"]["int_s"]
        self.assertAlmostEqual(report["images_per_s"], 1 / seconds, delta=1e-9 / seconds)
        self.assertFalse({"steps", "ops", "fp32_library", "fp32_images_per_s", "fp32_peak_rss_mib"} & set(report))
        text = self.succeeds("bench", MICRO, "--no-fp32", "--rounds", "1", "-t", "1", "--steps", "--ops")
        self.assertNotIn("against", text)
        for word in ("w8a8", "further", "1 thread, ", "images a second", "image_encoder.neck", "gemm attn.qkv", "other"):
            self.assertIn(word, text)

    def test_a_synthetic_model_and_its_coding(self):
        report = self.bench_json("--synthetic", "micro", "--bits", "w6a6,decoder=w4a8", "--softmax", "agq")
        self.assertEqual(report["profile"], "w6a6,decoder=w4a8")
        self.assertLessEqual({"4", "6"}, set(report["weight_bits"]))
        self.assertEqual(list(report["softmax"]), ["agq"])
        self.assertRegex(report["fp32_library"], r"^oneDNN \d")
        for part in PARTS:
            row = report[part]
            self.assertAlmostEqual(row["speedup"], row["fp32_s"] / row["int_s"], delta=1e-9 * row["speedup"])
        self.assertGreater(report["fp32_peak_rss_mib"], 0)
        uniform = self.bench_json("--synthetic", "micro", "--no-fp32", "--softmax", "uniform")
        self.assertEqual(list(uniform["softmax"]), ["uniform"])

    def test_xnnpack(self):
        arguments = ["--synthetic", "micro", "--rounds", "1", "-t", "1", "--json", "--fp32-library", "xnnpack"]
        done = self.run_tool("bench", *arguments)
        if done.returncode == 5:
            self.assertIn(b"--fp32-library", done.stderr)
            self.skipTest("no XNNPACK here")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        report = json.loads(done.stdout)
        self.assertRegex(report["fp32_library"], r"^XNNPACK, attention on oneDNN \d")
        self.assertGreater(report["encoder"]["fp32_s"], 0)

    def test_operations(self):
        config = json.loads(self.succeeds("inspect", MICRO, "--json"))["config"]
        tokens, dim = (config["image_size"] // config["patch_size"]) ** 2, config["embed_dim"]
        for tier in [row["tier"] for row in self.tiers()]:
            ops = self.bench_json(MICRO, "--no-fp32", "--ops", "--isa", tier)["ops"]
            rows = {row["op"]: row for row in ops["table"]}
            self.assertEqual(len(rows), len(ops["table"]))
            self.assertAlmostEqual(sum(row["share"] for row in rows.values()), 1, delta=1e-9)
            self.assertTrue(ops["encoder_s"] > 0 and ops["clock_ns"] > 0)
            for layer, products in (("attn.qkv", 3 * dim * dim), ("attn.proj", dim * dim)):
                gmac = tokens * products * config["depth"] * 1e-9
                self.assertAlmostEqual(rows[f"gemm {layer}"]["gmac"], gmac, delta=1e-15)
            for row in rows.values():
                self.assertTrue(row["op"] == "other" or (row["s"] > 0 and row["calls"] > 0), row)
            for name in ("gemm patch_embed", "gemm mlp.lin1", "gemm mlp.lin2", "gemm neck.0", "gemm neck.2", "gemm QK"):
                self.assertGreater(rows[name]["gmac_per_s"], 0)
            for name in ("softmax", "attention output", "pack K, V", "layer norm", "requantize GELU", "residual"):
                self.assertGreater(rows[name]["melements_per_s"], 0)
            own = {peak["instructions"] for peak in ops["peaks"] if peak["tier"] == tier}
            self.assertEqual(set(rows["gemm attn.qkv"]["of_peak"]), own)
            self.assertTrue(all(peak["gmac_per_s"] > 0 for peak in ops["peaks"]))

    def tiers(self):
        rows = json.loads(self.succeeds("inspect", "--kernels", "--json"))["kernels"]
        return [row for row in rows if row["supported"]]

    def test_threads_share_the_table(self):
        report = json.loads(
            self.succeeds("bench", MICRO, "--no-fp32", "--ops", "--rounds", "1", "-t", "3", "--json")
        )
        self.assertEqual(report["threads"], 3)
        self.assertAlmostEqual(sum(row["share"] for row in report["ops"]["table"]), 1, delta=1e-9)

    def test_steps(self):
        rows = self.bench_json("--synthetic", "micro", "--steps")["steps"]
        names = [row["step"] for row in rows]
        self.assertEqual(len(set(names)), len(names))
        self.assertLessEqual({"image_encoder.blocks.attn", "mask_decoder.masks"}, set(names))
        self.assertTrue(all(row["int_s"] > 0 for row in rows))
        self.assertGreater(next(row["fp32_s"] for row in rows if row["step"] == "image_encoder.blocks.mlp"), 0)

    def test_a_stranger_names_no_profile(self):
        model = (Setup.scratch / "micro.isam").read_bytes()
        for bits in ("\x1b[31m", "w99a99", 8, None, ["w8a8"]):
            path = self.write("hostile.isam", with_provenance(model, json.dumps({"bits": bits}).encode()))
            self.assertEqual(self.bench_json(path, "--no-fp32")["profile"], "unknown")

    def test_usage(self):
        micro = ["--synthetic", "micro"]
        for arguments, says in (
            ([], "--synthetic"),
            ([MICRO, *micro], "--synthetic"),
            ([MICRO], "--checkpoint"),
            (["--synthetic", "vit_x"], "vit_x"),
            ([*micro, "--bits", "w9a8"], "--bits"),
            ([*micro, "--bits", ""], "--bits"),
            ([*micro, "--softmax", "auto"], "--softmax"),
            ([*micro, "--softmax", ""], "--softmax"),
            ([*micro, "--seed", "-1"], "--seed"),
            ([*micro, "--rounds", "0"], "--rounds"),
            ([*micro, "--rounds", "1001"], "--rounds"),
            ([*micro, "--isa", "mmx"], "mmx"),
            ([*micro, "--fp32-library", "mkl"], "--fp32-library"),
            ([*micro, "--checkpoint", "x.pth"], "--checkpoint: only with MODEL"),
            ([MICRO, "--no-fp32", "--bits", "w8a8"], "--bits: only with --synthetic"),
            ([MICRO, "--no-fp32", "--softmax", "agq"], "--softmax: only with --synthetic"),
        ):
            with self.subTest(arguments):
                self.fails(2, "bench", *arguments, says=says)
        self.fails(3, "bench", "missing.isam", "--no-fp32", says="missing.isam")
        (self.dir / "cut.isam").write_bytes((Setup.scratch / "micro.isam").read_bytes()[:1000])
        self.fails(4, "bench", "cut.isam", "--no-fp32", says="cut.isam")
