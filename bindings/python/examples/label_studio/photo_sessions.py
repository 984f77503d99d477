"""Photos that were encoded once: their embeddings on disk, and the latest in sessions that are ready for a click."""
from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import tempfile
import threading
from collections.abc import Iterator

import intsam

# What marks this cache's own files, the only ones that it deletes.
_SUFFIX = ".intsam-embedding"


class EmbeddingFiles:
    """Saved embeddings in a folder, of which those that were used least lately go when there are too many bytes. Several
    processes may share the folder."""

    def __init__(self, folder: str | os.PathLike[str], max_bytes: int) -> None:
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._max_bytes = max_bytes

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            data = path.read_bytes()
            os.utime(path)  # the time of the last use
        except FileNotFoundError:
            return None
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keeps an embedding, whole or not at all."""
        handle, name = tempfile.mkstemp(dir=self._folder)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.replace(name, self._path(key))
        except BaseException:
            os.unlink(name)
            raise
        self._shrink()

    def _path(self, key: str) -> pathlib.Path:
        return self._folder / (key + _SUFFIX)

    def _shrink(self) -> None:
        files = []
        for path in self._folder.glob("*" + _SUFFIX):
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                status = path.stat()
                files.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size


class PhotoSessions:
    """A few sessions of one model, each with a photo. Those who click on the same few photos wait for no encoder."""

    def __init__(self, model: intsam.Model, files: EmbeddingFiles, sessions: int = 4) -> None:
        self._files = files
        self._identity = hashlib.sha256(pathlib.Path(os.fsdecode(model.path)).read_bytes()).hexdigest()
        self._lock = threading.Lock()
        # Used least lately first; the photo of each.
        self._seats = [_Seat(intsam.Session(model)) for _ in range(sessions)]

    @contextlib.contextmanager
    def of(self, photo: bytes) -> Iterator[intsam.Session]:
        """A session with the photo of these bytes set, for this thread alone. Raises what intsam.read_image does."""
        key = hashlib.sha256(self._identity.encode() + hashlib.sha256(photo).digest()).hexdigest()
        with self._lock:
            seat = next((seat for seat in self._seats if seat.key == key), None)
            if seat is None:
                seat = next((seat for seat in self._seats if not seat.lock.locked()), self._seats[0])
                seat.key = key  # so that others who want this photo wait here
            self._seats.remove(seat)
            self._seats.append(seat)
        with seat.lock:
            # Another photo may have come while this thread waited.
            if seat.loaded != key:
                seat.loaded = None
                self._encode(seat.session, key, photo)
                seat.loaded = key
            yield seat.session

    def _encode(self, session: intsam.Session, key: str, photo: bytes) -> None:
        saved = self._files.get(key)
        if saved is not None:
            with contextlib.suppress(intsam.Error):  # damaged, or of an older version: made anew
                session.load_embedding(saved)
                return
        session.set_image(intsam.read_image(photo))
        self._files.put(key, session.save_embedding())


class _Seat:
    def __init__(self, session: intsam.Session) -> None:
        self.session = session
        self.lock = threading.Lock()
        self.key: str | None = None  # the photo that was last asked for
        self.loaded: str | None = None  # the photo that the session has
