"""An event stream through another nginx that buffers answers, as nginx does by default."""
import socket
import subprocess
from contextlib import closing

from chat import name
from listeners import EventSource
from stack import free_port, nginx_program, wait_until

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    gzip on;
    gzip_proxied any;
    gzip_types *;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {url}; }}
    }}
}}
"""


def listens(port):
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_event_stream_passes_a_buffering_proxy_at_once(chat, stack, tmp_path):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    chat.settle()
    port = free_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(directory=tmp_path, port=port, url=stack.url))
    proxy = subprocess.Popen([nginx_program(), "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(configuration)])
    try:
        wait_until(lambda: listens(port), 20, "the proxy listens")
        ear = EventSource(f"http://127.0.0.1:{port}/ws/?username={ann}", {})
        assert ear.headers["Cache-Control"] == "no-cache, no-transform"
        sent = chat.send(conversation, bob, "at once")
        assert [event["message"] for event in ear.wait_for(conversation["id"], 1)] == [sent]
        ear.close()
    finally:
        proxy.terminate()
        proxy.wait(20)
