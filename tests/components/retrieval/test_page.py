"""The search page: one safe file, a server for this machine, and both in headless Chromium."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from components.retrieval.page import SearchPageComponent
from components.retrieval.page_html import data_of
from components.retrieval.page_run import run_page
from components.retrieval.serve import SearchServer
from components.retrieval.serve import main as serve
from tests.components.retrieval.library import KEY, Library

pytestmark = pytest.mark.slot("ai", "answers", "embedded")
EVIL = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">"


def written(library: Library, **attributes: Any) -> Path:
    """The page of the index."""
    given = {"key": "search/page", "title": "Town <docs>", "index": KEY, "output": "data/page.html"}
    component = SearchPageComponent.resolve_from_yaml(yaml.safe_dump(given | attributes))
    run_page(component, SimpleNamespace(run=SimpleNamespace(run_id="0123456789")), library.root)  # type: ignore[arg-type]
    return library.root / "data" / "page.html"


@pytest.fixture
def page(library: Library) -> Path:
    library.write("evil.md", f"# Evil\n\nThe pirate says {EVIL} to everyone in the town.\n")
    library.materialize()
    return written(library)


@pytest.fixture
def served(page: Path, library: Library) -> Iterator[str]:
    """The address of a running server."""
    started = threading.Event()
    servers: list[SearchServer] = []

    def run() -> None:  # the index is opened where it is used
        with library.opened() as index, SearchServer(page.read_text(), index, 0) as server:
            servers.append(server)
            started.set()
            server.serve_forever(0.05)

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(30)
    yield f"127.0.0.1:{servers[0].server_port}"
    servers[0].shutdown()
    thread.join()


def get(address: str, path: str, host: str | None = None) -> tuple[int, str]:
    connection = HTTPConnection(address, timeout=30)
    connection.request("GET", path, headers={"Host": host or address})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_no_text_of_a_document_can_end_the_data_of_the_page(page: Path) -> None:
    text = page.read_text()
    assert text.count("<script") == 2
    assert "Town &lt;docs&gt;" in text
    assert any(EVIL in passage["text"] for passage in data_of(text)["passages"])
    assert len(data_of(text)["passages"]) == 31


def test_a_page_says_what_it_leaves_out(library: Library) -> None:
    library.materialize()
    assert "It holds 7 of 30 passages." in written(library, max_passages=7).read_text()


def test_the_server_searches_the_index_and_cites(served: str) -> None:
    status, text = get(served, "/search?q=What+does+a+ticket+for+the+violin+cost%3F")
    found = json.loads(text)
    assert status == 200
    assert found["sentences"][0]["text"] == "A ticket for the violin costs four coins."
    assert found["sentences"][0]["hit"]["document"] == "docs/0003.md"
    assert json.loads(get(served, "/search?q=football+cup")[1])["refusal"] == "nothing in search_docs is about this"


def test_the_server_is_for_this_machine_only(served: str) -> None:
    assert get(served, "/", host="evil.example.com")[0] == 403
    assert get(served, "/data/vectors.db")[0] == 404
    assert get(served, "/")[0] == 200


def test_a_file_that_is_no_page_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.html").write_text("<p>hello")
    assert serve([str(tmp_path / "x.html")]) == 1
    assert "is no search page" in capsys.readouterr().err


@pytest.mark.browser
@pytest.mark.parametrize("place", ["file", "server"])
def test_people_ask_and_see_citations_in_a_browser(
    chromium: Any, page: Path, request: pytest.FixtureRequest, place: str
) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    for log in ("browser", "performance"):
        chromium.get_log(log)
    chromium.get(page.as_uri() if place == "file" else f"http://{request.getfixturevalue('served')}/")

    def ask(text: str) -> str:
        field = chromium.find_element("id", "question")
        field.clear()
        field.send_keys(text)
        before = chromium.find_element("id", "answer").text
        chromium.find_element("css selector", "#ask button").click()
        WebDriverWait(chromium, 10).until(lambda _: chromium.find_element("id", "answer").text not in ("", before))
        return str(chromium.find_element("id", "answer").text)

    assert "A ticket for the quarry costs four coins. [1]" in ask("How much is a ticket for the quarry?")
    assert "docs/0009.md: The quarry > Tickets" in chromium.find_element("id", "answer").text
    assert chromium.find_element("css selector", "#hits article h3").text == "The quarry"
    assert {mark.text.lower() for mark in chromium.find_elements("css selector", "#hits article:first-child mark")} >= {
        "ticket", "quarry"
    }  # fmt: skip
    assert "is about this" in ask("Who won the football world cup?")
    assert "pirate" in ask("What does the pirate say to everyone?")
    assert chromium.title == "Town <docs>"
    asked = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    urls = [item["params"]["request"]["url"] for item in asked if item["method"] == "Network.requestWillBeSent"]
    outside = [url for url in urls if url.startswith(("http", "ws")) and not url.startswith("http://127.0.0.1")]
    assert outside == []
    if place == "file":  # the server has no icon, which the browser asks for
        assert chromium.get_log("browser") == []
