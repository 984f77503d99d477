"""The backend of examples/label_studio with a real Label Studio on this machine: a project, a photo that is uploaded, a
click in the editor's words, and the mask that comes back, all over HTTP.

  label_studio_server.py --server PYTHON --backend PYTHON --model MODEL.isam PHOTO

--server: an interpreter that has label-studio; --backend: one that has label-studio-ml and intsam. This script needs
intsam and Pillow. label_studio.sh makes both environments.
"""
import argparse
import contextlib
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import intsam

EXAMPLE = pathlib.Path(__file__).resolve().parents[1] / "examples/label_studio"
sys.path.insert(0, str(EXAMPLE))
import brush_rle  # noqa: E402

# As in the example's README.
CONFIG = """<View>
  <Image name="image" value="$image" zoom="true"/>
  <BrushLabels name="mask" toName="image"><Label value="Thing"/></BrushLabels>
  <KeyPointLabels name="point" toName="image" smart="true"><Label value="Thing" smart="true"/></KeyPointLabels>
  <RectangleLabels name="box" toName="image" smart="true"><Label value="Thing" smart="true"/></RectangleLabels>
</View>"""


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


@contextlib.contextmanager
def running(command, log, **environment):
    """A program with its output in a file, ended at the end with all that it has started."""
    with open(log, "wb") as output:
        program = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **environment})
        try:
            yield program
        except BaseException:
            print(pathlib.Path(log).read_text(errors="replace")[-4000:], file=sys.stderr)
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, 15)
            program.wait()


class Client:
    def __init__(self, address, token=None):
        self.address, self.token = address, token

    def __call__(self, path, body=None, kind="application/json"):
        if body is not None and kind == "application/json":
            body = json.dumps(body).encode()
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        request = urllib.request.Request(self.address + path, body, {**headers, "Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path}: {error.code} {error.read()[:2000]!r}") from None

    def wait(self, path, program, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                return self(path)
            except (OSError, ValueError) as error:
                if program.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"{self.address}{path}: nobody answers: {error}") from None
                time.sleep(1)


def upload(client, project, photo):
    """The task of a photo."""
    mark = secrets.token_hex(8)
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{photo.name}"\r\n\r\n'
    client(f"/api/projects/{project}/import", head.encode() + photo.read_bytes() + f"\r\n--{mark}--\r\n".encode(),
           f"multipart/form-data; boundary={mark}")
    [task] = client(f"/api/tasks?project={project}")["tasks"]
    return client(f"/api/tasks/{task['id']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("photo", type=pathlib.Path)
    options = parser.parse_args()
    token, ports = secrets.token_hex(20), (free_port(), free_port())
    studio, backend = (Client(f"http://127.0.0.1:{port}") for port in ports)
    studio.token = token
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        program = stack.enter_context(running(
            [options.server, "-m", "label_studio.server", "start", "--no-browser", "--data-dir", f"{folder}/data",
             "--internal-host", "127.0.0.1", "--port", str(ports[0]), "--username", "test@localhost.localdomain",
             "--password", secrets.token_hex(8), "--user-token", token],
            f"{folder}/server.log", LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN="true", COLLECT_ANALYTICS="false",
            LABEL_STUDIO_LATEST_VERSION_CHECK="false", USE_DEFAULT_BANNED_SUBNETS="false"))
        studio.wait("/health", program, 1800)  # it makes its database first
        print("label_studio_server: the server answers")
        program = stack.enter_context(running(
            [options.backend, EXAMPLE / "backend.py", options.model, "--cache", f"{folder}/cache", "--port", str(ports[1])],
            f"{folder}/backend.log", LABEL_STUDIO_URL=studio.address, LABEL_STUDIO_API_KEY=token))
        backend.wait("/health", program, 120)

        project = studio("/api/projects", {"title": "test", "label_config": CONFIG})["id"]
        task = upload(studio, project, options.photo)
        connected = studio("/api/ml", {"project": project, "url": backend.address, "title": "intsam", "is_interactive": True})
        click = {"type": "keypointlabels", "is_positive": True, "from_name": "point", "to_name": "image", "id": "click",
                 "original_width": 1, "original_height": 1,
                 "value": {"x": 37.5, "y": 50, "width": 1, "keypointlabels": ["Thing"]}}
        answer = studio(f"/api/ml/{connected['id']}/interactive-annotating",
                        {"task": task["id"], "context": {"result": [click]}})
        [region] = answer["data"]["result"]

        image = intsam.read_image(options.photo)
        with intsam.Model(options.model) as model, intsam.Session(model) as session:
            session.set_image(image)
            expected = session.predict([[image.shape[1] * 0.375, image.shape[0] * 0.5]]).mask()
        assert region["value"]["rle"] == brush_rle.encode(expected), "another mask"
        assert (region["original_height"], region["original_width"]) == image.shape[:2]
        kept = studio("/api/predictions", {"task": task["id"], "result": [region], "score": region["score"]})
        [stored] = studio(f"/api/tasks/{task['id']}")["predictions"]
        assert stored["id"] == kept["id"] and stored["result"][0]["value"]["rle"] == region["value"]["rle"]
        assert len(list(pathlib.Path(folder, "cache").iterdir())) == 1
        print(f"label_studio_server: a click gave {expected.sum()} pixels through Label Studio, which keeps them")


if __name__ == "__main__":
    main()
