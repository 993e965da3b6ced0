# Made by generate_sync.py of the module of this name in _async: change it there.
"""The client in threads."""
