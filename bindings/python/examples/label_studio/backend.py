"""A machine learning backend for Label Studio: smart points and rectangles become brush masks.

  python backend.py vit_b.isam --cache embeddings --port 9090

README.md says how to connect it.
"""
from __future__ import annotations

import argparse
import inspect
import logging
import pathlib
import tempfile
from typing import Any

from label_studio_ml.api import init_app
from label_studio_ml.model import LabelStudioMLBase

import intsam
import regions
from photo_sessions import EmbeddingFiles, PhotoSessions

log = logging.getLogger("intsam")


class IntsamBackend(LabelStudioMLBase):
    """One brush region for the smart regions of a task. For label-studio-ml 1 and 2."""

    #: Shared by all instances, of which label-studio-ml makes many.
    photos: PhotoSessions

    def predict(self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **_: Any) -> list[dict[str, Any]]:
        """A prediction for each task; an empty one without smart regions, which only come for the task that is open."""
        drawn = (context or {}).get("result") or []
        return [self._answer(task, drawn) if drawn else {"result": []} for task in tasks]

    def _answer(self, task: dict[str, Any], drawn: list[dict[str, Any]]) -> dict[str, Any]:
        try:
            tags = regions.Tags.of(self.parsed_label_config)
            photo = self._photo(task, tags.value)
            with self.photos.of(photo) as session:
                prompt = regions.prompt_of(drawn, session.image_size)
                if prompt is None:
                    return {"result": []}
                result = session.predict(prompt.points, prompt.labels, prompt.box)
                mask, score = result.mask(), float(result.scores[result.choice])
        except (intsam.Error, ValueError, KeyError, OSError) as error:
            # The editor shows nothing then, and goes on working; an error would only be "500" to it.
            log.warning("task %s: %s", task.get("id"), error)
            return {"result": []}
        return regions.prediction(mask, score, regions.label_of(drawn, tags.labels), tags)

    def _photo(self, task: dict[str, Any], value: str) -> bytes:
        url = task["data"][value]
        known = inspect.signature(self.get_local_path).parameters
        options = {"task_id": task.get("id")} if "task_id" in known else {}
        return pathlib.Path(self.get_local_path(url, **options)).read_bytes()


def application(folder: str) -> Any:
    """The Flask application. `folder` is for what training leaves, which version 1 asks for; there is no training."""
    takes_more = any(parameter.kind is parameter.VAR_KEYWORD for parameter in inspect.signature(init_app).parameters.values())
    return init_app(IntsamBackend, **({"model_dir": folder} if takes_more else {}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="an .isam file")
    parser.add_argument("--cache", required=True, metavar="DIR", help="where embeddings are kept")
    parser.add_argument("--cache-megabytes", type=int, default=2000, metavar="N", help="of the cache (default: 2000)")
    parser.add_argument("--sessions", type=int, default=4, metavar="N", help="photos held ready in memory (default: 4)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=9090, help="(default: 9090)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    model = intsam.Model(options.model)
    files = EmbeddingFiles(options.cache, options.cache_megabytes * 10**6)
    IntsamBackend.photos = PhotoSessions(model, files, options.sessions)
    with tempfile.TemporaryDirectory() as folder:
        application(folder).run(host=options.host, port=options.port, threaded=True)


if __name__ == "__main__":
    main()
