"""
The network between a host and the servers of the database: passes bytes between ports of 127.0.0.1.

    network.py FROM=TO …

SIGUSR1 cuts it: no byte passes any more, and nobody is told. As with a real network, each end gives its connections up
after GIVE_UP_S, as imd's tcp_user_timeout and keepalives make them do, and new ones are not answered. SIGUSR2 mends it.
"""
import asyncio
import signal
import sys

GIVE_UP_S = 3
PIECE_BYTES = 65536


class Network:
    def __init__(self):
        self._passes = asyncio.Event()
        self._passes.set()
        self._connections = set()
        self._giving_up = None

    async def serve(self, listen, target):
        async def connect(reader, writer):
            await self._connect(reader, writer, target)

        return await asyncio.start_server(connect, "127.0.0.1", listen)

    def cut(self):
        self._passes.clear()
        self._giving_up = asyncio.get_running_loop().call_later(GIVE_UP_S, self._give_up)

    def mend(self):
        if self._giving_up:
            self._giving_up.cancel()
        self._passes.set()

    def _give_up(self):
        for task in self._connections:
            task.cancel()

    async def _connect(self, reader, writer, target):
        task = asyncio.current_task()
        self._connections.add(task)
        ends = [writer]
        try:
            await self._passes.wait()
            there = await asyncio.open_connection("127.0.0.1", target)
            ends.append(there[1])
            passing = [asyncio.ensure_future(self._pass(*way)) for way in ((reader, there[1]), (there[0], writer))]
            try:
                await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in passing:
                    each.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # the server is down, or the network was cut for long
        finally:
            self._connections.discard(task)
            for end in ends:
                end.transport.abort()

    async def _pass(self, reader, writer):
        try:
            while data := await reader.read(PIECE_BYTES):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # the other end is gone


async def main(ways):
    network, loop = Network(), asyncio.get_running_loop()
    servers = [await network.serve(*map(int, way.split("="))) for way in ways]
    loop.add_signal_handler(signal.SIGUSR1, network.cut)
    loop.add_signal_handler(signal.SIGUSR2, network.mend)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
