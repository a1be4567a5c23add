"""The least a sandbox must be for the demo's supervisor: a process with a port that answers `/sandbox/company`."""

from __future__ import annotations

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMPANY = {
    "users": [
        {"address": "adele@northwind.example", "name": "Adele Varga", "kind": "work"},
        {"address": "theo@northwind.example", "name": "Theo Brandt", "kind": "work"},
        {"address": "lars@woodgrove.example", "name": "Lars Ekholm", "kind": "work"},
        {"address": "support@northwind.example", "name": "Northwind Support", "kind": "shared"},
    ]
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(COMPANY).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler).serve_forever()
