"""The client in asyncio. The client in threads is made of it by ``generate_sync.py``."""
