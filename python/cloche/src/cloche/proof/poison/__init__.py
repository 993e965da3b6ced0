"""Poisons: what a policy might leave so that its grader breaks, hangs, or is fooled.

``places`` says which files and services are poisoned, on the untouched and on the solved state;
``raw``, ``office``, ``letters``, ``diaries`` and ``calls`` what with.
"""
