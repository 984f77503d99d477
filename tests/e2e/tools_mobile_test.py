"""The tools on MobileSAM's encoder family. What a file of any family has in common is tested on ../micro.isam; here is
what differs: other sites, other records, and two families that meet.
"""

import json
import struct
import unittest

from tools_support import Setup, ToolTest, decode_png, section_of

MICRO = "../micro.isam"
MOBILE = "../mobile.isam"
BLOCK = "image_encoder.layers.1.blocks.0"
# Of the micro size: blocks with one attention and one local convolution each.
BLOCKS = [f"image_encoder.layers.{stage}.blocks.{block}" for stage, block in ("10", "11", "20", "21", "30")]


class MobileTest(ToolTest):
    def inspect_json(self, *arguments, env=None):
        return json.loads(self.succeeds("inspect", *arguments, "--json", env=env))

    def supported_tiers(self):
        return [row["tier"] for row in self.inspect_json("--kernels")["kernels"] if row["supported"]]


class MobileInspect(MobileTest):
    def setUp(self):
        super().setUp()
        self.model = (Setup.scratch / "mobile.isam").read_bytes()

    def values_of(self, tensor, kind):
        size = struct.calcsize(kind)
        return struct.unpack_from(f"<{tensor['bytes'] // size}{kind}", self.model, tensor["offset"])

    def test_summary(self):
        report = self.inspect_json(MOBILE)
        self.assertRegex(
            report["summary"],
            r"^SAM micro \(TinyViT\), 128 x 128, (w8a8|unknown), file of 0\.\d MiB, needs \d\.\d MiB for 1 thread and "
            r"the photo, random weights(, calibrated on 1 photo)?, tier here \w+$",
        )
        config = report["config"]
        self.assertEqual([config[f"embed_dims.{stage}"] for stage in range(4)], [16, 32, 32, 64])
        self.assertEqual([config[f"window_sizes.{stage}"] for stage in range(4)], [7, 7, 5, 3])
        self.assertFalse({"embed_dim", "patch_size", "global_attn_indexes"} & set(config))  # those of a ViT
        self.assertEqual(report["parts"][0]["part"], "image_encoder")
        self.assertEqual(sum(part["tensors"] for part in report["parts"]), report["header"]["tensors"])

    def test_fields_and_tensors_are_those_of_the_file(self):
        offset, size = section_of(self.model, "fields")
        report = self.inspect_json(MOBILE, "--fields", "--tensors")
        stored = struct.unpack_from(f"<{size // 8}q", self.model, offset)
        self.assertEqual([field["value"] for field in report["fields"]], list(stored))
        end, _ = section_of(self.model, "data")
        for tensor in report["tensors"]:
            self.assertEqual(tensor["offset"], (end + 63) // 64 * 64, tensor)
            end = tensor["offset"] + tensor["bytes"]
        self.assertEqual(end, sum(section_of(self.model, "data")))

    def test_a_bias_per_head_and_distance(self):
        (tensor,) = self.inspect_json(MOBILE, "--tensors", "--site", BLOCK + ".attn.attention_biases")["tensors"]
        heads, distances = tensor["shape"]
        self.assertEqual((tensor["type"], heads, distances), ("s32", 2, 7 * 7))  # windows are 7 x 7
        values = self.values_of(tensor, "i")
        self.assertTrue(0 < max(map(abs, values)) <= 1 << 30)
        self.assertGreater(len(set(values)), distances)  # no constant, and no head like the other

    def test_sites_of_each_kind_of_layer(self):
        for site, names in (
            ("patch_embed.seq.2", {"weight", "bias", "rq"}),
            ("layers.0.blocks.0", {"conv1", "conv2", "conv3"}),
            ("layers.2.downsample", {"conv1", "conv2", "conv3"}),
            ("layers.3.blocks.0", {"attn", "local_conv", "mlp"}),
            ("layers.3.blocks.0.local_conv", {"weight", "bias", "rq"}),
        ):
            whole = "image_encoder." + site
            report = self.inspect_json(MOBILE, "--tensors", "--proof", "--quantization", "--site", site)
            found = [row["name"] for row in report["tensors"]]
            self.assertTrue(all(name.startswith(whole + ".") for name in found), found)
            self.assertEqual({name[len(whole) + 1 :].split(".")[0] for name in found}, names)
            self.assertTrue(report["proof"])

    def test_proof_of_depthwise_convolutions(self):
        """Computed from the file by its definition (docs/numerics.md 3.5): nine products per channel."""
        report = self.inspect_json(MOBILE, "--proof", "--tensors", "--fields")
        proof = {row["layer"]: row for row in report["proof"]}
        tensors = {row["name"]: row for row in report["tensors"]}
        fields = {row["path"]: row["value"] for row in report["fields"]}
        taps = lambda weights, channels: [weights[channel::channels] for channel in range(channels)]
        magnitude = lambda nine: sum(map(abs, nine))

        def check(layer, bounds):
            row = proof[layer]
            self.assertEqual((row["accumulator_max"], row["channel"]), (max(bounds), bounds.index(max(bounds))), layer)

        for block in BLOCKS:  # over the stream in 16 bits
            layer = block + ".local_conv"
            biases = self.values_of(tensors[layer + ".bias"], "i")
            weights = self.values_of(tensors[layer + ".weight"], "h")
            self.assertLess(max(map(abs, weights)), 1 << 11)
            check(layer, [32767 * magnitude(w) + abs(b) for w, b in zip(taps(weights, len(biases)), biases)])
        for place in ("layers.0.blocks.0", "layers.0.downsample", "layers.1.downsample", "layers.2.downsample"):
            layer = f"image_encoder.{place}.conv2"  # over codes, unsigned or, less 128, signed
            biases = self.values_of(tensors[layer + ".bias"], "i")
            weights = self.values_of(tensors[layer + ".weight"], "b")
            zero = fields[f"image_encoder.{place}.conv1.gelu.out.zero"]
            bound = lambda w, b: max(
                255 * magnitude(w) + abs(b - zero * sum(w)), 128 * magnitude(w) + abs(b + (128 - zero) * sum(w))
            )
            check(layer, list(map(bound, taps(weights, len(biases)), biases)))

    def test_quantization(self):
        report = self.inspect_json(MOBILE, "--quantization")
        encoder = lambda rows, key: [row[key] for row in rows if row[key].startswith("image_encoder.")]
        self.assertEqual(encoder(report["attentions"], "attention"), [block + ".attn" for block in BLOCKS])
        layers = encoder(report["layers"], "layer")
        for block in BLOCKS:
            for part in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"):
                self.assertIn(f"{block}.{part}", layers)
        self.assertIn("image_encoder.layers.0.blocks.0.conv3", layers)
        self.assertIn("image_encoder.layers.2.downsample.conv1", layers)

    def test_profiles_reach_every_kind_of_layer(self):
        self.needs("convert")
        self.succeeds(
            "convert", "--synthetic", "micro_mobile", "--bits", "w6a8,neck=w8a8", "-t", "1", "-q", "-o", "w6.isam"
        )
        rows = {row["layer"]: row["weight_bits"] for row in self.inspect_json("w6.isam", "--quantization")["layers"]}
        self.assertEqual(rows["image_encoder.neck.2"], 8)
        for site in (BLOCK + ".attn.qkv", BLOCK + ".mlp.fc2", "image_encoder.layers.0.blocks.0.conv1"):
            self.assertEqual(rows[site], 6, site)
        self.assertLess((self.dir / "w6.isam").stat().st_size, len(self.model))

    def test_histogram_of_keys_under_biases(self):
        """Keys alone: what a bias adds to a logit is no key's."""
        self.needs("convert")  # the committed models tell nothing of their conversion
        site = BLOCK + ".attn"
        report = self.inspect_json(MOBILE, "--histogram", "--site", site)["key_histograms"]
        self.assertIn("after", report)
        for histogram in report.values():
            self.assertEqual((histogram["site"], len(histogram["counts"])), (site, 64))
            self.assertTrue(histogram["lo"] < 0 < histogram["hi"])
        self.fails(2, "inspect", MOBILE, "--histogram", "--site", "layers", says=("several attentions", site))

    def test_memory(self):
        rows = self.inspect_json(MOBILE, "--memory")["memory"]
        arenas = [row["arena_bytes"] for row in rows]
        self.assertEqual(arenas, sorted(set(arenas)))
        self.assertTrue(all(row["model_bytes"] == len(self.model) for row in rows))

    def test_self_test(self):
        rows = self.inspect_json(MOBILE, "--self-test", "-t", "1")["self_test"]
        self.assertEqual([row["tier"] for row in rows], self.supported_tiers())
        self.assertEqual(len({tuple(value for key, value in row.items() if key != "tier") for row in rows}), 1)
        threaded = self.inspect_json(MOBILE, "--self-test", "-t", "3")["self_test"]
        self.assertEqual(threaded, rows)
        other = self.inspect_json(MICRO, "--self-test", env={"INTSAM_ISA": "scalar"})["self_test"][0]
        self.assertNotEqual(other["embedding"], rows[0]["embedding"])

    def test_damage_is_found(self):
        """A bit of the biases of an attention, which no other family has."""
        (tensor,) = self.inspect_json(MOBILE, "--tensors", "--site", BLOCK + ".attn.attention_biases")["tensors"]
        damaged = bytearray(self.model)
        damaged[tensor["offset"]] ^= 1
        self.write("bad.isam", bytes(damaged))
        self.fails(4, "inspect", "bad.isam", "--verify", says=("bad.isam", "data: checksum"))


class MobileSegment(MobileTest):
    def test_same_bytes_on_every_tier_and_thread_count(self):
        photo = self.photo()
        files = ["m.png", "z.npy", "e.isemb"]
        outputs = ["-o", files[0], "--logits", files[1], "--save-embedding", files[2], "-q"]
        for prompt in (["-p", "16,16"], ["-b", "4.5,3,30.25,28"]):
            seen = {}
            for tier in self.supported_tiers():
                for threads in (1, 3):
                    run = [*prompt, *outputs, "-t", threads]
                    self.succeeds("segment", MOBILE, photo, *run, env={"INTSAM_ISA": tier})
                    seen[tier, threads] = [(self.dir / name).read_bytes() for name in files]
            first = next(iter(seen.values()))
            self.assertEqual([run for run, found in seen.items() if found != first], [])

    def test_an_embedding_is_that_of_its_model(self):
        """Both models take 128 pixels and give 8 x 8 x 32 values, so nothing but the identity tells them apart."""
        photo = self.photo()
        ask = ["--embedding", "e.isemb", "-p", "9,9", "-o", "m.png"]
        for model, other in ((MOBILE, MICRO), (MICRO, MOBILE)):
            self.succeeds("segment", model, photo, "--save-embedding", "e.isemb", "-q")
            self.fails(4, "segment", other, *ask, says=("e.isemb", "another model"))
            self.succeeds("segment", model, *ask, "-q")
            (self.dir / "m.png").unlink()


class MobileBench(MobileTest):
    def test_operations_have_their_products(self):
        report = json.loads(
            self.succeeds("bench", MOBILE, "--no-fp32", "--ops", "--rounds", "1", "-t", "1", "--json")
        )
        config = self.inspect_json(MOBILE)["config"]
        rows = {row["op"]: row for row in report["ops"]["table"]}
        self.assertAlmostEqual(sum(row["share"] for row in rows.values()), 1, delta=1e-9)
        self.assertEqual(len([name for name in rows if name.startswith("depthwise")]), 2, list(rows))
        products = sum(  # one row per cell: a padding cell of a window is no query
            config[f"depths.{stage}"] * (config["image_size"] // pixels) ** 2 * config[f"embed_dims.{stage}"] ** 2
            for stage, pixels in ((1, 8), (2, 16), (3, 16))
        )
        self.assertAlmostEqual(rows["gemm layers.attn.proj"]["gmac"], products * 1e-9, delta=1e-15)


    def test_steps_of_both_sides(self):
        bench = ["bench", "--synthetic", "micro_mobile", "--steps", "--rounds", "1", "-t", "1", "--json"]
        rows = {row["step"]: row for row in json.loads(self.succeeds(*bench))["steps"]}
        for name in ("patch_embed", "layers.blocks", "layers.downsample", "layers.blocks.attn", "layers.blocks.mlp"):
            row = rows["image_encoder." + name]
            self.assertTrue(row["int_s"] > 0 and row["fp32_s"] > 0, name)


class MobileCompare(MobileTest):
    def test_agreement_with_the_checkpoint(self):
        data = Setup.source / "tests/checkpoint/data"
        checkpoint, photos = data / "micro_mobile.safetensors", ["--images", "photos", "--json"]
        (self.dir / "photos").mkdir()
        self.photo("photos/a.png", 60, 40)
        self.succeeds("convert", checkpoint, "--calib", "photos", "-o", "m.isam", "-q")
        own = ["--checkpoint", checkpoint, *photos]
        report = json.loads(self.succeeds("compare", "-m", "m.isam", *own, "--min-agreement", "80"))
        self.assertLess(report["embedding_relative_l2"], 0.2)
        done = self.run_tool("compare", "-m", MOBILE, *own, "--min-agreement", "100")
        self.assertEqual(done.returncode, 1)  # other weights of the same shape
        vit = ["--checkpoint", data / "micro_f32.safetensors", "--config", data / "micro.json", *photos]
        self.fails(2, "compare", "-m", "m.isam", *vit, says="micro_f32.safetensors")


class MobilePhoto(MobileTest):
    def setUp(self):
        super().setUp()
        if Setup.mobile_model is None:
            raise unittest.SkipTest("no --mobile-model")

    def test_astronaut(self):
        """A plausible area around the face, and for a box nearly nothing outside."""
        photo = Setup.source / "models/photos/astronaut.png"
        x0, y0, x1, y1 = 150, 10, 300, 190
        for prompt in (["--box", f"{x0},{y0},{x1},{y1}"], ["--point", "225,100"]):
            report = json.loads(self.succeeds("segment", Setup.mobile_model, photo, *prompt, "-o", "m.png", "--json"))
            width, height, _, pixels = decode_png((self.dir / "m.png").read_bytes())
            self.assertEqual((width, height), (512, 512))
            area = pixels.count(255)
            self.assertEqual(area, report["objects"][0]["area"])
            self.assertTrue(3000 < area < 60000, (prompt, area))
            self.assertEqual(pixels[100 * width + 225], 255)  # the face
            if prompt[0] == "--box":
                inside = sum(pixels[y * width + x0 : y * width + x1].count(255) for y in range(y0, y1))
                self.assertGreater(inside, 0.95 * area)

    def test_agreement_with_the_checkpoint(self):
        checkpoint = Setup.source / "models/sam_tiny_mobile.safetensors"
        model = ["-m", Setup.mobile_model, "--checkpoint", checkpoint]
        photos = ["--images", Setup.source / "models/photos", "--limit", "1"]
        # Sanitizers get a model that is calibrated on one photo, to save time.
        least, most = ("75", 0.2) if Setup.sanitized else ("90", 0.1)
        report = json.loads(self.succeeds("compare", *model, *photos, "--json", "--min-agreement", least))
        self.assertLess(report["embedding_relative_l2"], most)
