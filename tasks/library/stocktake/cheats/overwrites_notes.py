"""Writes the new note over the one that stood there."""

import re

import solution


def solve(agent):
    look = solution.Desk.look

    def without_notes(desk):
        look(desk)
        desk.page = re.sub(r'(textbox "Note[^"]*".*?\[ref=\w+\]): .*', r"\1", desk.page)
        return desk.page

    solution.Desk.look = without_notes
    return solution.solve(agent)
