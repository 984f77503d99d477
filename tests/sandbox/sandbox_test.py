"""--sandbox: a decoder that misbehaves is let do nothing, and a run gives the same files as without.

sandbox_test.py --bin DIR --source DIR --preload LIBRARY

Skipped (77) where the kernel has no Landlock.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from tools_support import disc_rgb, encode_png  # noqa: E402

OPTIONS = None
PROMPTS = '[[{"type": "point", "data": [20, 16]}], [{"type": "mask", "data": "masks/rough.png"}]]'
PICTURE = encode_png(48, 32, disc_rgb(48, 32))
# What a container may refuse in any case.
MAY_FAIL_ANYWAY = {"read another process", "trace another process", "write memory as a file", "netlink socket"}


class SandboxTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="intsam_sandbox_")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        for folder in ("work/in", "work/masks", "work/out", "elsewhere"):
            (self.dir / folder).mkdir(parents=True)
        self.work = self.dir / "work"
        for name in ("photo.png", "in/a.png", "in/b.png", "in/c.png", "masks/rough.png"):
            (self.work / name).write_bytes(PICTURE)
        (self.work / "prompts.json").write_text(PROMPTS)
        self.micro = OPTIONS.source / "tests/golden/data/micro.isam"
        self.victim = self.dir / "elsewhere/victim"
        self.input = self.work / "in/notes.txt"  # in a folder that the tool may read

    def run_tool(self, tool, *arguments, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("INTSAM_")}
        return subprocess.run(
            [OPTIONS.bin / f"intsam-{tool}", *map(str, arguments)],
            cwd=self.work,
            env={**clean, **{k: str(v) for k, v in environment.items()}},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def misbehave(self, *arguments):
        """What the decoder was let do, and what it was refused."""
        self.victim.write_text("somebody else's")
        self.input.write_text("not to be emptied")
        for path in (self.dir / "elsewhere").iterdir():
            if path != self.victim:
                path.unlink()
        done = self.run_tool(
            *arguments,
            LD_PRELOAD=OPTIONS.preload,
            INTSAM_VICTIM=self.victim,
            INTSAM_INPUT=self.input,
            INTSAM_OUTPUT=self.work / "out",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        outcomes = re.findall(r"misbehaving: ([^:]*): (let|refused)\n", done.stderr)
        self.assertGreater(len(outcomes), 25, done.stderr)
        return [{name for name, outcome in outcomes if outcome == which} for which in ("let", "refused")]

    def check_misbehaviour(self, *arguments):
        let, refused = self.misbehave(*arguments, "out/bound.png", "--sandbox")
        self.assertEqual(let, set())
        self.assertEqual(self.victim.read_text(), "somebody else's")
        self.assertEqual([path.name for path in (self.dir / "elsewhere").iterdir()], ["victim"])
        self.assertEqual(self.input.read_text(), "not to be emptied")
        # None of it is refused for another reason.
        let, _ = self.misbehave(*arguments, "out/free.png")
        self.assertEqual(let | MAY_FAIL_ANYWAY, refused | MAY_FAIL_ANYWAY)

    def test_misbehaving_decoder(self):
        (self.work / "in/prompts.json").write_text('[{"type": "point", "data": [20, 16]}]')
        self.check_misbehaviour("segment", self.micro, "in/a.png", "--prompts", "in/prompts.json", "-q", "-o")

    def test_misbehaving_decoder_of_everything(self):
        options = ("--points-per-side", "2", "-q", "--label-map")
        self.check_misbehaviour("everything", self.micro, "in/a.png", *options)

    def test_misbehaving_decoder_on_another_thread(self):
        options = ("--auto", "--points-per-side", "2", "--format", "rle", "-q", "-j", "2", "-t", "2", "-o")
        self.check_misbehaviour("batch", self.micro, "in", *options)

    def tree(self, folder):
        """Files by name; the manifest has times."""
        paths = sorted((self.work / folder).rglob("*"))
        names = [path.relative_to(self.work / folder).as_posix() for path in paths]
        return {n: p.read_bytes() for n, p in zip(names, paths) if p.is_file() and "manifest" not in n}

    def check_equal(self, *arguments, outputs):
        for folder, more in (("free", ()), ("bound", ("--sandbox",))):
            (self.work / folder).mkdir()
            done = self.run_tool(*arguments, *more, *(o.format(folder) for o in outputs))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(len(self.tree("free")), 0)
        self.assertEqual(self.tree("bound"), self.tree("free"))

    def test_segment_gives_the_same(self):
        prompts = ("--prompts", "prompts.json")
        outputs = ("-o", "{}/m.png", "--overlay", "{}/o.jpg", "--cutout", "{}/c.png", "--label-map", "{}/l.png",
                   "--logits", "{}/x.npy", "--save-embedding", "{}/e.isemb")  # fmt: skip
        self.check_equal("segment", self.micro, "photo.png", *prompts, "-q", "-t", "3", outputs=outputs)

    def test_everything_gives_the_same(self):
        """In folders that are missing: the sandbox has to let them be made."""
        options = ("--points-per-side", "2", "-q", "-t", "2")
        outputs = ("-o", "{}/new/masks", "--overlay", "{}/o.jpg", "--label-map", "{}/l.png")
        self.check_equal("everything", self.micro, "photo.png", *options, outputs=outputs)
        for bound in ((), ("--sandbox",)):
            folder = "-".join(("again", *bound))
            arguments = (self.micro, "photo.png", *options, *bound, "-o", f"{folder}/masks.json")
            self.assertEqual(self.run_tool("everything", *arguments).stderr, "")
            (self.work / f"old-{folder}").mkdir()
            (self.work / folder / "photo").symlink_to(f"../old-{folder}")
            arguments = (self.micro, "photo.png", *options, *bound, "-o", folder, "--overwrite")
            self.assertEqual(self.run_tool("everything", *arguments).stderr, "")
        self.assertEqual(self.tree("again---sandbox"), self.tree("again"))
        self.assertIn("masks.json", self.tree("again"))
        self.assertEqual(self.tree("old-again---sandbox"), self.tree("old-again"))
        self.assertIn("metadata.csv", self.tree("old-again"))

    def test_batch_gives_the_same(self):
        (self.work / "in/link.png").symlink_to(self.work / "photo.png")
        options = ("--auto", "--points-per-side", "2", "-q", "-j", "2")
        self.check_equal("batch", self.micro, "in", *options, outputs=("-o", "{}"))

    def test_files_outside_are_refused_with_a_sentence(self):
        """A mask that prompts name has to lie below their folder."""
        (self.work / "far").mkdir()
        (self.work / "far/prompts.json").write_text(PROMPTS.replace("masks/", "../masks/"))
        arguments = ("segment", self.micro, "photo.png", "--prompts", "far/prompts.json", "--json", "-q")
        self.assertEqual(self.run_tool(*arguments).returncode, 0)
        done = self.run_tool(*arguments, "--sandbox")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertRegex(done.stderr, r"\Aintsam-segment: .*far/../masks/rough.png: cannot open: Permission denied\n\Z")

    def test_other_errors_stay_what_they_are(self):
        for bound in ((), ("--sandbox",)):
            for arguments in (
                ("segment", self.micro, "missing.png", "-p", "1,1", "-o", "m.png"),
                ("segment", "missing.isam", "photo.png", "-p", "1,1", "-o", "m.png"),
                ("segment", self.micro, "photo.png", "-p", "1,1", "-o", "missing/m.png"),
            ):
                done = self.run_tool(*arguments, *bound)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertRegex(done.stderr, r"\Aintsam-segment: .*: No such file or directory\n\Z")

    def test_streams(self):
        with (self.work / "photo.png").open("rb") as photo:
            done = subprocess.run(
                [OPTIONS.bin / "intsam-segment", self.micro, "-", "-p", "20,16", "-o", "-", "--sandbox", "-q"],
                stdin=photo,
                capture_output=True,
                check=False,
                timeout=120,
            )
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout.startswith(b"\x89PNG"))

    def test_refused_where_there_is_none(self):
        for tool, arguments in (
            ("segment", ("photo.png", "-p", "1,1", "-o", "out/m.png")),
            ("everything", ("photo.png", "-o", "new")),
            ("batch", ("in", "--embeddings", "-o", "new")),
        ):
            before = sorted(self.work.rglob("*"))
            done = self.run_tool(tool, self.micro, *arguments, "--sandbox", LD_PRELOAD=OPTIONS.preload,
                                 INTSAM_NO_LANDLOCK=1)  # fmt: skip
            self.assertEqual((done.returncode, done.stdout), (5, ""))
            self.assertRegex(done.stderr, rf"\Aintsam-{tool}: --sandbox: this system has no Landlock: [^\n]*\n\Z")
            self.assertEqual(sorted(self.work.rglob("*")), before)

    def test_version_names_it(self):
        self.assertRegex(self.run_tool("segment", "--version").stdout, r"\nsandbox libseccomp [0-9.]+ and Landlock\n")


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--preload", type=pathlib.Path, required=True)
    OPTIONS, rest = parser.parse_known_args()
    OPTIONS.bin, OPTIONS.source, OPTIONS.preload = (
        path.resolve() for path in (OPTIONS.bin, OPTIONS.source, OPTIONS.preload)
    )
    micro = OPTIONS.source / "tests/golden/data/micro.isam"
    with tempfile.TemporaryDirectory() as scratch:
        photo = pathlib.Path(scratch) / "p.png"
        photo.write_bytes(PICTURE)
        probe = [OPTIONS.bin / "intsam-segment", micro, photo, "-p", "1,1", "--json", "--sandbox"]
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode == 5 and "this system has no" in done.stderr:
        print(done.stderr)
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
