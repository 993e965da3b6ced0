"""Counts every line of the scans, those that were taken back too."""

import solution


def solve(agent):
    solution.scanned_of = every_line
    return solution.solve(agent)


def every_line(files):
    barcodes = {line.split(",")[2] for text in files for line in text.split() if "," in line}
    return barcodes - {"barcode", "UNDO"}
