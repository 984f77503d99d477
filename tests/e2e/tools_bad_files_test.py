"""Files that are missing, damaged, hostile or not supported: the right exit code, the file and the reason."""

import json
import struct
import subprocess

from tools_support import HEADER, SECTIONS, Setup, ToolTest, encode_png, patched, section_of
from tools_inspect_test import tensors_of

MICRO = "../micro.isam"
DATA = "tests/checkpoint/data"


class BadModel(ToolTest):
    def setUp(self):
        super().setUp()
        self.model = (Setup.scratch / "micro.isam").read_bytes()

    def refused(self, code, data, *says):
        path = self.write("bad.isam", data)
        return self.fails(code, "inspect", path, says=(path, *says))

    def test_unreadable(self):
        self.photo()
        for path, reason in (("missing.isam", "No such file"), (self.dir, "not a regular file")):
            self.fails(3, "inspect", path, says=(path, reason))
            self.fails(3, "segment", path, "photo.png", "-p", "1,1", "-o", "m.png", says=(path, reason))
            self.fails(3, "compare", "-m", path, "--checkpoint", "x", "--images", ".", says=(path, reason))

    def test_truncated(self):
        ends = [sum(section_of(self.model, name)) for name in SECTIONS]
        for length in (0, 1, 8, 255, HEADER, *ends, len(self.model) // 2, len(self.model) - 1):
            with self.subTest(length=length):
                self.refused(4, self.model[:length])
        self.refused(4, self.model + bytes(64))

    def test_not_a_model(self):
        self.refused(4, b"x" * 5000, "magic")
        self.refused(4, (Setup.source / DATA / "micro_f32.safetensors").read_bytes(), "magic")

    def test_bit_flips(self):
        fields, directory = section_of(self.model, "fields")[0], section_of(self.model, "directory")[0]
        offsets = [0, 7, 12, 16, 24, 28, *range(32, HEADER, 9), fields, fields + 77, directory, directory + 333]
        for offset, data in self.for_each_bit_flip(self.model, offsets):
            with self.subTest(offset=offset):
                self.refused(4, data)
        for tool, arguments in (
            ("segment", ["bad.isam", "photo.png", "-p", "1,1", "-o", "m.png"]),
            ("compare", ["-m", "bad.isam", "--checkpoint", "x", "--images", "."]),
        ):
            self.write("bad.isam", next(self.for_each_bit_flip(self.model, [40]))[1])
            self.photo()
            self.fails(4, tool, *arguments, says=("bad.isam", "header: checksum"))

    def test_damaged_data(self):
        """Only --verify promises to notice; everything else must refuse or work."""
        offset, size = section_of(self.model, "data")
        for at, data in self.for_each_bit_flip(self.model, range(offset, offset + size, size // 7)):
            with self.subTest(at=at):
                path = self.write("bad.isam", data)
                self.fails(4, "inspect", path, "--verify", says=path)
                self.assertIn(self.run_tool("inspect", path).returncode, (0, 4))

    def test_unsupported(self):
        self.refused(5, patched(self.model, 8, struct.pack("<I", 9)), "version", "9")
        self.refused(5, patched(self.model, 12, struct.pack("<I", 1)), "flags")
        embed_dim = section_of(self.model, "fields")[0] + 3 * 8
        self.refused(5, patched(self.model, embed_dim, struct.pack("<q", 33)), "embed_dim", "33")

    def test_hostile_fields_under_right_checksums(self):
        fields, (directory, _) = section_of(self.model, "fields")[0], section_of(self.model, "directory")
        for field, value, says in (
            (0, 0, "config.image_size: 0"),
            (0, 2**32 + 128, "config.image_size"),
            (4, 65, "config.depth: 65"),
            (4, -1, "config.depth: -1"),
            (4, 3, "blocks.2"),
        ):
            self.refused(4, patched(self.model, fields + 8 * field, struct.pack("<q", value)), says)
        for offset, data in (
            (0, b"\1"),
            (8, b"\xff" * 8),
            (16, struct.pack("<I", 2**31)),
            (32, b"\x09"),
            (33, b"\5"),
            (40, b"\x1b"),
        ):
            self.refused(4, patched(self.model, directory + offset, data))

    def test_overflow_is_not_proved(self):
        """A bias at the end of s32 under right checksums: the proof names the layer."""
        bias = tensors_of(self, MICRO)["image_encoder.blocks.0.attn.qkv.bias"]
        self.refused(
            4,
            patched(self.model, bias["offset"], struct.pack("<i", 2**31 - 1)),
            "image_encoder.blocks.0.attn.qkv: channel 0",
            "accumulator",
        )


class BadImage(ToolTest):
    def refused(self, code, path, *says):
        self.write("old.png", "kept")
        self.fails(
            code, "segment", MICRO, path, "-p", "1,1", "-o", "old.png", "--overlay", "over.png", says=(path, *says)
        )

    def test_unreadable(self):
        self.refused(3, "missing.png", "No such file")
        self.refused(3, self.dir, "Is a directory")

    def test_damaged_png(self):
        png = self.photo().read_bytes()
        for length in (0, 1, 8, 20, 33, 60, len(png) - 12, len(png) - 1):
            with self.subTest(length=length):
                self.refused(4, self.write("bad.png", png[:length]))
        for offset, data in self.for_each_bit_flip(png, [12, 18, 24, 30, 40, 50, len(png) - 5]):
            with self.subTest(offset=offset):
                self.refused(4, self.write("bad.png", data))
        self.refused(4, self.write("bad.png", encode_png(48, 32, bytes(3 * 48 * 20))))  # rows are missing

    def test_damaged_jpeg(self):
        jpeg = (Setup.source / "models/photos/rocket.jpg").read_bytes()
        for length in (2, 20, 600):
            self.refused(4, self.write("bad.jpg", jpeg[:length]))

    def test_other_formats(self):
        for data in (b"plain text", b"GIF89a" + bytes(100), b"\x88" + self.photo().read_bytes()[1:]):
            self.refused(5, self.write("bad.png", data), "this build reads PNG, JPEG")

    def test_over_the_limit(self):
        self.refused(6, self.write("wide.png", encode_png(40000, 1, bytes(3 * 40000))), "40000")


class BadPrompts(ToolTest):
    def refused(self, code, text, *says):
        path = self.write("prompts.json", text)
        self.photo()
        self.fails(
            code,
            "segment",
            MICRO,
            "photo.png",
            "--prompts",
            path,
            "-o",
            "m.png",
            "--save-embedding",
            "e.isemb",
            says=says,
        )

    def test_unreadable(self):
        self.photo()
        for path in ("missing.json", self.dir):
            self.fails(3, "segment", MICRO, "photo.png", "--prompts", path, "-o", "m.png", says=path)

    def test_damaged(self):
        good = '[{"type": "point", "data": [5, 6], "label": 1}, {"type": "box", "data": [1, 2, 30, 20]}]'
        for length in (0, 1, 10, 30, len(good) - 1):
            self.refused(4, good[:length], "prompts.json")
        for text, says in (
            ("{}", "array"),
            ("[]", "empty"),
            ("[1]", "entry 0"),
            ('[{"type": "point"}]', "data"),
            ('[{"type": "point", "data": [1]}]', "[x, y]"),
            ('[{"type": "point", "data": ["a", 1]}]', "numbers"),
            ('[{"type": "point", "data": [1e999, 1]}]', "number"),
            ('[{"type": "point", "data": [1, 1], "label": true}]', "label"),
            ('[{"type": "point", "data": [1, 1], "labels": 0}]', 'unknown key "labels"'),
            ('[{"type": "point", "data": [1, 1], "label": 0, "label": 1}]', '"label" is repeated'),
            ('[{"data": [1, 1]}]', "type"),
            ("[[], []]", "object 0"),
            (b"\xff\xfe[", "JSON"),
            (good.encode() + b"\0 garbage {{{", "NUL"),
            ('[{"type": "mask", "data": "photo.png\\u0000.png"}]', "NUL"),
        ):
            with self.subTest(text):
                self.refused(4, text, "prompts.json", says)

    def test_unsupported_and_limits(self):
        self.refused(5, '[{"type": "text", "data": "cat"}]', "prompts.json", "text")
        self.refused(6, "[" * 5000, "prompts.json", "deeper")
        self.refused(6, " " * (1 << 20) + "[]", "prompts.json", "larger")
        self.refused(6, "[" + ",".join(['{"type": "point", "data": [1, 1]}'] * 257) + "]", "257")


class BadEmbedding(ToolTest):
    def test_refused(self):
        photo = self.photo()
        self.succeeds("segment", MICRO, photo, "--save-embedding", "good.isemb", "-p", "1,1", "-q")
        good = (self.dir / "good.isemb").read_bytes()
        use = lambda path: ["segment", MICRO, photo, "--embedding", path, "-p", "1,1", "-o", "m.png"]
        for length in (0, 7, 60, len(good) // 2, len(good) - 1):
            self.fails(4, *use(self.write("bad.isemb", good[:length])), says="bad.isemb")
        for _, data in self.for_each_bit_flip(good, (0, 13, 30, 34, 70, len(good) // 2, len(good) - 1)):
            self.fails(4, *use(self.write("bad.isemb", data)), says="bad.isemb")
        self.fails(
            5,
            *use(self.write("bad.isemb", good[:8] + struct.pack("<I", 9) + good[12:])),
            says=("bad.isemb", "version 9")
        )
        self.fails(3, *use("missing.isemb"), says="missing.isemb")
        self.photo("photo.png", 50, 32)
        self.fails(2, *use("good.isemb"), says=("48 x 32", "50 x 32"))
        self.photo()
        self.other_model()
        self.fails(
            4,
            "segment",
            "other.isam",
            photo,
            "--embedding",
            "good.isemb",
            "-p",
            "1,1",
            "-o",
            "m.png",
            says="another model",
        )


class BadCheckpoint(ToolTest):
    def refused(self, code, path, *says, config=()):
        self.photo("calib.png")
        self.write("old.isam", "kept")
        self.fails(code, "convert", path, *config, "--calib", ".", "-o", "old.isam", says=says)

    def test_unreadable(self):
        for path in ("missing.pth", self.dir):
            self.refused(3, path, path)

    def test_damaged(self):
        for name in ("micro_f32.safetensors", "micro_f32.pth"):
            good = (Setup.source / DATA / name).read_bytes()
            for length in (0, 7, 100, len(good) // 2, len(good) - 1):
                with self.subTest(name=name, length=length):
                    self.refused(4, self.write(name, good[:length]), name)
            self.refused(4, self.write(name, b"\0" * 4096), name)
        safetensors = (Setup.source / DATA / "micro_f32.safetensors").read_bytes()
        for old, new, code, says in (
            (b'"F32"', b'"F99"', 5, "F99"),
            (b'"F32"', b'"I32"', 5, "I32"),
            (b"[0,128]", b"[0,124]", 4, "attn.proj.bias"),
            (b"image_encoder.blocks.0.attn.proj.bias", b"image_encoder.blocks.0.attn.proj.bios", 5, "attn.proj.bi"),
        ):
            with self.subTest(says):
                path = self.write("bad.safetensors", safetensors.replace(old, new, 1))
                self.refused(code, path, path, says, config=("--config", Setup.source / DATA / "micro.json"))

    def test_numbers_that_cannot_be_quantized(self):
        """One tensor of the checkpoint made extreme: refused by the file's name, or a model that opens."""
        good = bytearray((Setup.source / DATA / "micro_f32.safetensors").read_bytes())
        config = ("--config", Setup.source / DATA / "micro.json")
        begin = 8 + struct.unpack_from("<Q", good)[0]
        header = json.loads(good[8:begin])
        for name, value, says in (
            ("image_encoder.blocks.0.norm1.weight", 3.4e38, "tensor image_encoder.blocks.0.norm1.weight: holds 3.4e+38"),
            ("mask_decoder.transformer.norm_final_attn.weight", -1e15, "norm_final_attn.weight: holds -1e+15"),
            ("image_encoder.neck.0.weight", 1e6, "calibration saw"),
            ("image_encoder.blocks.1.mlp.lin1.weight", 1e-44, None),
            ("mask_decoder.output_upscaling.3.weight", 0.0, None),
        ):
            with self.subTest(name):
                first, last = header[name]["data_offsets"]
                changed = bytearray(good)
                changed[begin + first : begin + last] = struct.pack("<f", value) * ((last - first) // 4)
                path = self.write("extreme.safetensors", changed)
                if says:
                    self.refused(5, path, path, says, config=config)
                else:
                    self.succeeds("convert", path, *config, "--calib", ".", "-o", "new.isam", "-q")
                    self.succeeds("inspect", "new.isam", "--verify", "-q")

    def test_pickle_is_never_executed(self):
        pth = (Setup.source / DATA / "micro_f32.pth").read_bytes()
        evil = pth.replace(b"collections\nOrderedDict", b"posix\nsystem\n#########", 1)
        self.assertNotEqual(evil, pth)
        self.refused(4, self.write("evil.pth", evil), "evil.pth")

    def test_configuration(self):
        """Beside the checkpoint, under its name."""
        self.write("c.safetensors", (Setup.source / DATA / "micro_f32.safetensors").read_bytes())
        good = (Setup.source / DATA / "micro.json").read_text()
        for text, code, says in (
            ("{", 4, "JSON"),
            ("[]", 4, "JSON"),
            (good[:90], 4, "JSON"),
            (good.replace(": 2,", ': "two",', 1), 5, "depth"),
            (good.replace("{", '{"depth": 2,', 1), 4, "duplicate"),
            (good.replace("128", "256", 1), 5, "image_size"),
            (good.replace("{", '{"colour": 1,', 1), 5, "colour"),
            ("[" * 100, 6, "nested"),
        ):
            with self.subTest(text):
                self.write("c.json", text)
                self.refused(code, "c.safetensors", "c.safetensors: config", says)
        self.refused(3, "c.safetensors", "missing.json", config=("--config", "missing.json"))

    def test_calibration_photos(self):
        checkpoint = Setup.source / DATA / "micro_f32.safetensors"
        (self.dir / "photos").mkdir()
        convert = ["convert", checkpoint, "--config", Setup.source / DATA / "micro.json", "-o", "m.isam", "--calib"]
        self.fails(3, *convert, "no_folder", says=("--calib", "no_folder"))
        self.write("photos/a.png", self.photo().read_bytes()[:50])
        self.fails(4, *convert, "photos", says=("--calib", "none of 1 photos", "a.png"))


class BadOutput(ToolTest):
    def test_folder_does_not_exist(self):
        photo = self.photo()
        for option in ("-o", "--overlay", "--save-embedding"):
            self.fails(
                3, "segment", MICRO, photo, "-p", "1,1", option, "nowhere/x.png", says=("nowhere/x.png", "No such file")
            )
        self.fails(
            3,
            "segment",
            MICRO,
            photo,
            "-p",
            "1,1",
            "-o",
            "m.png",
            "--save-embedding",
            "e.isemb",
            "--overlay",
            "nowhere/x.png",
            says="nowhere",
        )

    def test_folder_of_a_model_does_not_exist(self):
        self.photo()
        self.fails(3, "convert", "missing.pth", "--calib", ".", "-o", "nowhere/x.isam", says="nowhere/x.isam")
        self.fails(
            3, "convert", "--synthetic", "micro", "-o", "nowhere/x.isam", says=("nowhere/x.isam", "No such file")
        )

    def test_output_is_a_folder(self):
        photo = self.photo()
        (self.dir / "folder.png").mkdir()
        self.fails(3, "segment", MICRO, photo, "-p", "1,1", "-o", "folder.png", says="folder.png")

    def test_output_of_a_model_is_a_folder(self):
        (self.dir / "folder").mkdir()
        self.fails(3, "convert", "--synthetic", "micro", "-o", "folder", says="folder")

    def test_standard_output_is_full(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                Setup.command("inspect", "--limits"), stdout=full, stderr=subprocess.PIPE, check=False
            )
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (3, 1))
        self.assertIn(b"standard output", done.stderr)
