"""models/fetch.py without a network: file:// URLs, right and damaged files, and the real manifest's form."""
import contextlib
import hashlib
import importlib.util
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
_spec = importlib.util.spec_from_file_location("fetch", ROOT / "models" / "fetch.py")
fetch = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fetch)

CONTENT = b"not a checkpoint, but bytes with a hash\n" * 1000


class FetchTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.source = self.folder / "source.bin"
        self.source.write_bytes(CONTENT)
        self.to = self.folder / "to"
        self.entry = {
            "name": "sample", "file": "sample.pth", "url": self.source.as_uri(), "bytes": len(CONTENT),
            "sha256": hashlib.sha256(CONTENT).hexdigest(), "md5_prefix": hashlib.md5(CONTENT).hexdigest()[:6],
            "licence": "Apache-2.0",
        }

    def run_main(self, *arguments):
        manifest = self.folder / "manifest.json"
        manifest.write_text(json.dumps({"models": [self.entry]}))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = fetch.main(["--manifest", str(manifest), "--to", str(self.to), *arguments])
        return code, out.getvalue(), err.getvalue()

    def expect_refusal(self, exit_code, word):
        code, _, err = self.run_main("sample")
        self.assertEqual(code, exit_code)
        self.assertIn(word, err)
        self.assertEqual(err.count("\n"), 1)
        self.assertEqual(list(self.to.iterdir()), [], "nothing half-written may stay")

    def test_right_file_arrives(self):
        code, out, _ = self.run_main("sample")
        self.assertEqual(code, 0)
        self.assertEqual(pathlib.Path(out.strip()).read_bytes(), CONTENT)
        self.assertEqual([p.name for p in self.to.iterdir()], ["sample.pth"])

    def test_present_file_is_not_fetched_again(self):
        self.run_main("sample")
        self.source.unlink()
        self.assertEqual(self.run_main("sample")[0], 0)

    def test_present_damaged_file_is_refused(self):
        self.to.mkdir()
        (self.to / "sample.pth").write_bytes(CONTENT[:-1] + b"x")
        code, _, err = self.run_main("sample")
        self.assertEqual(code, 4)
        self.assertIn("SHA-256", err)

    def test_flipped_bit(self):
        self.source.write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])
        self.expect_refusal(4, "SHA-256")

    def test_truncated_file(self):
        self.source.write_bytes(CONTENT[:-1])
        self.expect_refusal(4, "size")

    def test_longer_file(self):
        self.source.write_bytes(CONTENT + b"x")
        self.expect_refusal(4, "size")

    def test_wrong_md5_prefix(self):
        self.entry["md5_prefix"] = "ffffff" if self.entry["md5_prefix"] != "ffffff" else "000000"
        self.expect_refusal(4, "MD5")

    def test_file_without_md5(self):
        del self.entry["md5_prefix"]
        self.assertEqual(self.run_main("sample")[0], 0)

    def test_missing_source(self):
        self.source.unlink()
        self.expect_refusal(3, "cannot fetch")

    def test_list(self):
        code, out, _ = self.run_main("--list")
        self.assertEqual(code, 0)
        self.assertIn("sample", out)

    def test_unknown_model_is_a_usage_error(self):
        with self.assertRaises(SystemExit) as caught:
            self.run_main("vit_z")
        self.assertEqual(caught.exception.code, 2)

    def test_manifest_of_the_repository(self):
        models = json.loads((ROOT / "models" / "manifest.json").read_text())["models"]
        self.assertEqual([m["name"] for m in models], ["vit_b", "vit_l", "vit_h", "mobile_sam"])
        for entry in models:
            self.assertRegex(entry["sha256"], re.compile(r"^[0-9a-f]{64}$"))
        for entry in models[:3]:
            self.assertEqual(entry["file"], f"sam_{entry['name']}_{entry['md5_prefix']}.pth")
            self.assertEqual(entry["url"], "https://dl.fbaipublicfiles.com/segment_anything/" + entry["file"])
            self.assertGreater(entry["bytes"], 300_000_000)
        mobile = models[3]
        self.assertRegex(mobile["url"], r"^https://raw\.githubusercontent\.com/ChaoningZhang/MobileSAM/[0-9a-f]{40}/")
        self.assertTrue(mobile["url"].endswith("/" + mobile["file"]))
        self.assertNotIn("md5_prefix", mobile, "its name does not state one")


if __name__ == "__main__":
    unittest.main()
