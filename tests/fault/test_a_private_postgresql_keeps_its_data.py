"""`make run STORE=postgresql` serves on a PostgreSQL of its own, which ends with it and keeps its data."""
import psycopg2

from chat import Chat
from stack import Stack


def test_a_private_postgresql_keeps_its_data_and_listens_on_no_port(listen):
    with Stack(env={"STORE": "postgresql"}) as stack:
        chat = Chat(stack)
        conversation = chat.group("ann", "bob")
        socket = listen(stack, "bob")
        sent = chat.send(conversation, "ann", "before the restart")
        socket.wait(lambda: any(event.get("message") == sent for event in socket.events), "the push")
        server = f"host={stack.state}/postgresql user=imd dbname=imd"
        connection = psycopg2.connect(server)
        with connection, connection.cursor() as cursor:
            for setting, value in ("fsync", "on"), ("synchronous_commit", "on"), ("listen_addresses", ""):
                cursor.execute(f"SHOW {setting}")
                assert cursor.fetchall() == [(value,)], setting
        connection.close()
        stack.stop()
        assert not (stack.state / "postgresql/data/postmaster.pid").exists()
        stack.start()
        assert Chat(stack).messages(conversation) == [sent]
