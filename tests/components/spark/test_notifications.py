import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

ROUTES = {
    "slack:#nlp-experiments": {"url_env": "NLP_CHANNEL_URL"},
    "email:team-lead@company.com": {"url_env": "TEAM_LEAD_URL"},
}
NOTIFICATIONS = {"slack_channel": "#nlp-experiments", "on_failure": ["email:team-lead@company.com"]}
GOOD = "def train(context):\n    context.log_metric('loss', 0.25)\n"
BAD = "import os\n\ndef train(context):\n    raise ValueError('no luck with ' + os.environ['API_KEY'])\n"


@pytest.fixture
def inbox(monkeypatch):
    """A real HTTP server that Apprise posts to; messages by the path they came to."""
    messages = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages.append((self.path, body["title"], body["message"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, path in (("NLP_CHANNEL_URL", "channel"), ("TEAM_LEAD_URL", "lead")):
        monkeypatch.setenv(name, f"json://127.0.0.1:{server.server_port}/{path}")
    yield messages
    server.shutdown()
    server.server_close()


def test_a_completion_goes_to_the_channel(lab, inbox):
    lab.policy(alert_routes=ROUTES)
    lab.training(GOOD, notifications=NOTIFICATIONS)
    lab.run()
    [(path, title, message)] = inbox
    assert (path, title) == ("/channel", "Training of mean_model completed")
    assert "metric/loss: 0.25" in message
    assert "cost_usd: " in message


def test_a_failure_goes_to_the_channel_and_the_lead_without_the_secret(lab, inbox, monkeypatch):
    monkeypatch.setenv("API_KEY", "planted-91ac")
    lab.policy(alert_routes=ROUTES)
    lab.training(BAD, notifications=NOTIFICATIONS, secrets=["API_KEY"])
    lab.failure()
    assert [(path, title) for path, title, _ in inbox] == [
        ("/channel", "Training of mean_model failed"),
        ("/lead", "Training of mean_model failed"),
    ]
    for _, _, message in inbox:
        assert "mean_model: train.py:4 (in train): ValueError: no luck with ***" in message


def test_a_message_that_cannot_be_sent_does_not_fail_the_training(lab, monkeypatch, capfd):
    monkeypatch.delenv("NLP_CHANNEL_URL", raising=False)
    lab.policy(alert_routes=ROUTES)
    lab.training(GOOD, notifications=NOTIFICATIONS)
    assert lab.run().success
    expected = "alert route 'slack:#nlp-experiments': the environment variable NLP_CHANNEL_URL is not set"
    assert expected in capfd.readouterr().err


def test_a_name_that_is_no_route_is_refused_when_it_loads(lab):
    lab.policy(alert_routes=ROUTES)
    folder = lab.training(GOOD, notifications={"on_completion": ["email:team-lead@compny.com"]})
    message = lab.load_error()
    assert f"{folder / 'defs.yaml'}: notifications.on_completion: 'email:team-lead@compny.com' is no alert route" in (
        message
    )
    assert "did you mean 'email:team-lead@company.com'?" in message
