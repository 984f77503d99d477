"""What the tests of intsam-batch share: folders of photos, and folders of results as data."""

import json
import os

from tools_support import ToolTest, encode_png

MICRO = "../micro.isam"
# As in tools_everything_test: a model with random weights, of which nothing is filtered.
ALL = ("--pred-iou-thresh", "0", "--stability-score-thresh", "0", "--box-nms-thresh", "1", "--points-per-side", "2")
AUTO = ("--auto", *ALL)


def drawn(width, height, seed):
    """A disc and a bar on a ramp, in places that depend on `seed`."""
    cx, cy, bar = width * (3 + seed % 5) // 10, height * (3 + seed % 4) // 8, seed % 3
    rows = bytearray()
    for y in range(height):
        for x in range(width):
            if (x - cx) ** 2 + (y - cy) ** 2 < (height // 4) ** 2:
                rows += bytes((210, 70 + seed % 100, 50))
            elif x * 3 // width == bar and y * 4 // height == 3:
                rows += bytes((30, 200, 90))
            else:
                rows += bytes((40 + x % 64, 60 + y % 64, 120))
    return bytes(rows)


class BatchTest(ToolTest):
    def photos(self, count, folder="in", first=0):
        """p0.png, p1.png, ...; every other one upright. Their sizes, by name."""
        (self.dir / folder).mkdir(parents=True, exist_ok=True)
        sizes = {}
        for index in range(first, first + count):
            width, height = (24, 16) if index % 2 == 0 else (16, 20)
            self.write(f"{folder}/p{index}.png", encode_png(width, height, drawn(width, height, index)))
            sizes[f"p{index}.png"] = [width, height]
        return sizes

    def batch(self, *arguments, code=0):
        """The report."""
        done = self.run_tool("batch", MICRO, *arguments, "--json", "-q")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def tree(self, folder="out"):
        """Every file below a folder; of manifests what does not depend on the clock."""
        files = {}
        for path in sorted((self.dir / folder).rglob("*")):
            name = path.relative_to(self.dir / folder).as_posix()
            if path.is_file():
                files[name] = self.timeless(path) if name.startswith("manifest") else path.read_bytes()
        return files

    @staticmethod
    def timeless(path):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            line.pop("times_ms", None)
        return lines

    def manifest(self, folder="out", name="manifest.jsonl"):
        return self.timeless(self.dir / folder / name)

    def lines(self, name):
        return [json.loads(line) for line in (self.dir / name).read_text().splitlines()]

    def leftovers(self):
        """What is not complete."""
        return [name for _, folders, files in os.walk(self.dir) for name in folders + files if ".intsam-" in name]
