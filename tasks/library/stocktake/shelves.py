"""What the library has: sections, titles, readers."""

import random
from typing import Any

BRANCHES = ["Harbour", "Central", "Northgate"]
SECTIONS = [("natural science", "SCI"), ("history", "HIS"), ("travel", "TRV"), ("music", "MUS")]
MEMBERS = ["Ada Lorne", "Bilal Senn", "Cleo Marsh", "Dario Fenn", "Edda Rook", "Finn Ostrow"]
SUBJECTS = {
    "SCI": ["Moths", "Tides", "Lichens", "Comets", "Glaciers", "Bats", "Salt Marshes", "Fungi"],
    "HIS": [
        "Guilds",
        "Ferries",
        "Market Towns",
        "Lighthouses",
        "Strikes",
        "Canals",
        "Mills",
        "Plague Years",
    ],
    "TRV": [
        "Lapland",
        "the Azores",
        "the Danube",
        "Kyoto",
        "Patagonia",
        "the Hebrides",
        "Tbilisi",
        "Oman",
    ],
    "MUS": [
        "Fugues",
        "Fiddle Tunes",
        "Organs",
        "Sea Songs",
        "Opera",
        "Brass Bands",
        "Drums",
        "Lullabies",
    ],
}
FORMS = [
    "{} of the North",
    "A Field Guide to {}",
    "{}, Past and Present",
    "The Book of {}",
    "{} for Beginners",
    "Looking for {}",
    "{}, Told by Those Who Know",
    "Notes on {}",
]
SURNAMES = [
    "Abbott",
    "Brandt",
    "Castell",
    "Dreyer",
    "Eklund",
    "Fabre",
    "Garrick",
    "Holm",
    "Ibsen",
    "Jansen",
    "Kemp",
    "Lowell",
    "Moreau",
    "Nyberg",
    "Oakes",
    "Pryor",
    "Quist",
    "Rowe",
]
FIRST_NAMES = ["Anna", "Boris", "Clara", "Daniel", "Esther", "Felix", "Greta", "Hugo"]

Title = dict[str, Any]


def make_titles(rng: random.Random) -> list[Title]:
    """26 titles of each section, no two of one name."""
    titles: list[Title] = []
    for mark, subjects in SUBJECTS.items():
        names = [form.format(subject) for form in FORMS for subject in subjects]
        for name in rng.sample(names, 26):
            author = f"{rng.choice(SURNAMES)}, {rng.choice(FIRST_NAMES)}"
            titles.append(
                {
                    "id": f"T-{len(titles) + 101}",
                    "title": name[0].upper() + name[1:],
                    "author": author,
                    "isbn": "",
                    "year": rng.randint(1968, 2024),
                    "format": "Book",
                    "language": "English",
                    "publisher": "",
                    "subjects": [],
                    "description": "",
                    "mark": mark,
                    "number": f"{rng.randrange(100, 990)}.{rng.randrange(10)}",
                }
            )
    return rng.sample(titles, len(titles))
