#!/usr/bin/env python3
"""Asks a server everything that its OpenAPI document describes, and validates the answers:

    check_openapi.py http://127.0.0.1:7878 DIGIT.png

The server needs a run called `one`, --collect and at least one convolution in its first network.
"""

import json
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

base, picture = sys.argv[1], open(sys.argv[2], "rb").read()
document = json.load(urlopen(f"{base}/api/openapi.json"))
validate(document)


def form(*files):
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="p"; filename="%d.png"\r\n\r\n%s\r\n' % (number, file)
        for number, file in enumerate(files)
    ]
    return b"".join(parts) + b"--edge--\r\n"


pixels = json.load(urlopen(Request(f"{base}/api/predict?details", picture)))["pixels"]
png, text = {"Content-Type": "image/png"}, {"Content-Type": "application/json"}
multipart = {"Content-Type": "multipart/form-data; boundary=edge"}
foreign = {"Origin": "http://evil.example"}
# Method, path of the document, what is asked, headers, body and the status that is expected.
ASKED = [
    ("get", "/api/networks", "", {}, None, 200),
    ("get", "/api/networks", "", foreign, None, 403),
    ("post", "/api/predict", "", png, picture, 200),
    ("post", "/api/predict", "?details", png, picture, 200),
    ("post", "/api/predict", "?many", png, picture, 200),
    ("post", "/api/predict", "?many&details", png, picture, 200),
    ("post", "/api/predict", "?checkpoint=one", png, picture, 200),
    ("post", "/api/predict", "?details", multipart, form(picture, b"nothing", picture), 200),
    ("post", "/api/predict", "", multipart, b"nothing", 400),
    ("post", "/api/predict", "", png, b"nothing", 422),
    ("post", "/api/predict", "?checkpoint=none", png, picture, 404),
    ("post", "/api/predict", "", png, bytes(21 << 20), 413),
    ("post", "/api/explain", "", text, json.dumps({"pixels": pixels}).encode(), 200),
    ("post", "/api/explain", "?checkpoint=one", text, json.dumps({"pixels": pixels}).encode(), 200),
    ("post", "/api/explain", "", text, b"{}", 400),
    ("get", "/api/runs", "", {}, None, 200),
    ("get", "/api/runs/{name}", "one", {}, None, 200),
    ("get", "/api/runs/{name}", "none", {}, None, 404),
    ("get", "/api/runs/{name}/events", "one", {}, None, 200),
    ("get", "/api/runs/{name}/events", "none", {}, None, 404),
    ("get", "/api/runs/{name}/chart.svg", "one?kind=loss", {}, None, 200),
    ("get", "/api/runs/{name}/chart.svg", "one?kind=lr&with=one", {}, None, 200),
    ("get", "/api/runs/{name}/chart.svg", "one?kind=none", {}, None, 400),
    ("post", "/api/corrections", "?label=3", png, picture, 201),
    ("post", "/api/corrections", "?label=30", png, picture, 400),
    ("post", "/api/corrections", "?label=3", png, b"nothing", 415),
    ("post", "/api/corrections", "?label=3", png, picture[:60], 422),
    ("get", "/api/openapi.json", "", {}, None, 200),
    ("get", "/healthz", "", {}, None, 200),
    ("get", "/metrics", "", {}, None, 200),
]

for method, path, query, headers, body, status in ASKED:
    name, _, rest = query.partition("?")
    url = base + (path.replace("{name}", name) + ("?" + rest if rest else "") if "{name}" in path else path + query)
    try:
        answer = urlopen(Request(url, body, headers, method=method.upper()))
    except HTTPError as error:
        answer = error
    content = answer.read()
    assert answer.status == status, (method, url, answer.status, content[:300])
    described = document["paths"][path][method]["responses"][str(status)]["content"]
    kind = answer.headers["Content-Type"].split(";")[0]
    assert kind in described, (url, kind)
    # The references in the answer's schema lead into the document.
    schema = {**described[kind]["schema"], "components": document["components"]}
    value = json.loads(content) if kind == "application/json" else content.decode()
    Draft202012Validator(schema).validate(value)

described = {(method, path) for path, methods in document["paths"].items() for method in methods}
assert described == {(method, path) for method, path, *_ in ASKED}, described
print("every operation answered as it is described")
