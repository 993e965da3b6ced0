"""Tries a grader out: mutants of a captured run, each graded in a process of its own.

``ground`` holds a run as it came from the host, ``changes`` what a mutant changes of it,
``mutants`` what must be noticed, ``shapes`` what must not matter, ``trial`` the processes that
grade.
"""
