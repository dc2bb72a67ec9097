"""ISO 8583 of two networks: bytes, messages, sessions.

Sans-IO and shared by both ends of a link: bytes and the time come in as arguments, bytes and events
go out. Only :mod:`networks.wire.streams` knows asyncio. From the bottom: framing, headers, the
elements of a dialect (:mod:`~networks.wire.dialects`), their parts, canonical messages, sessions.
"""
