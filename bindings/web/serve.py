#!/usr/bin/env python3
"""Serves a folder on localhost, so that its pages may use threads.

  serve.py FOLDER [--port N] [--not-isolated]

Browsers allow threads where a page is isolated from other origins, which takes the two headers sent here; with
--not-isolated they are not sent, as most static servers do not.
"""

import argparse
import functools
import http.server


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript",
                      ".wasm": "application/wasm"}

    def __init__(self, *arguments, isolated, **options):
        self.isolated = isolated
        super().__init__(*arguments, **options)

    def end_headers(self):
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description="Serves a folder on localhost, so that its pages may use threads.")
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free (default: 8000)")
    parser.add_argument("--not-isolated", action="store_true", help="without the headers that threads need")
    options = parser.parse_args()
    handler = functools.partial(Handler, directory=options.folder, isolated=not options.not_isolated)
    with http.server.ThreadingHTTPServer(("localhost", options.port), handler) as server:
        print(f"http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
