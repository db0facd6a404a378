"""Makes up facts: numbers, amounts, dates, names, addresses, code, drawn from the given generator."""

import random
import string

from recipe.alphabet import LETTERS_WITH_MARKS
from recipe.stock import load_stock


def number(rng: random.Random) -> str:
    """Return a count, a measurement or a share."""
    return rng.choice(
        (
            lambda: str(rng.randint(0, 10 ** rng.randint(1, 6))),
            lambda: f"{rng.randint(0, 10 ** rng.randint(3, 7)):,}",
            lambda: f"{rng.uniform(0, 10 ** rng.randint(0, 3)):.{rng.randint(1, 3)}f}",
            lambda: f"{rng.randint(0, 100)}{rng.choice(('%', ' %', '°', ' °C', ' kg', ' km', ' mm'))}",
            lambda: f"({rng.randint(1, 30)})",
            lambda: f"§{rng.randint(1, 200)}",
            lambda: f"{rng.randint(1, 99)}×{rng.randint(1, 99)}",
            lambda: f"±{rng.randint(1, 99)}",
        )
    )()


def amount(rng: random.Random) -> str:
    """Return an amount of money."""
    value, cents = rng.randint(0, 10 ** rng.randint(1, 5)), rng.randint(0, 99)
    return rng.choice(
        (
            f"${value:,}.{cents:02d}",
            f"€{value}.{cents:02d}",
            f"{value},{cents:02d} €",
            f"£{value}",
            f"EUR {value},–",
        )
    )


def date(rng: random.Random) -> str:
    """Return a date or a time."""
    day, month, year = rng.randint(1, 31), rng.randint(1, 12), rng.randint(1900, 2035)
    called = load_stock().months[month - 1]
    return rng.choice(
        (
            f"{day:02d}/{month:02d}/{year}",
            f"{day}.{month}.{year}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day} {called} {year}",
            f"{called} {day}, {year}",
            f"{rng.randint(0, 23)}:{rng.randint(0, 59):02d}",
        )
    )


def name(rng: random.Random) -> str:
    """Return a person or a place."""
    stock = load_stock()
    first, last = rng.choice(stock.first_names), rng.choice(stock.last_names)
    return rng.choice(
        (
            f"{first} {last}",
            f"{first[0]}. {last}",
            f"Dr. {last}",
            f"{last}, {first}",
            rng.choice(stock.places),
        )
    )


def scramble(rng: random.Random) -> str:
    """Return random letters, which cannot be guessed from context."""
    letters = rng.choice(
        (
            string.ascii_letters,
            string.ascii_letters + string.digits,
            string.ascii_uppercase,
            LETTERS_WITH_MARKS,
        )
    )
    return "".join(rng.choices(letters, k=rng.randint(1, 8)))


def address(rng: random.Random) -> str:
    """Return a web or an email address."""
    stock = load_stock()
    one, other, third, last = rng.choices(stock.common, k=4)
    host = f"{one}{rng.choice(('', '-', '.'))}{other}.{rng.choice(stock.endings)}"
    path = f"{third}/{scramble(rng) if rng.random() < 0.3 else last}"
    kinds = (f"https://{host}/{path}", f"www.{host}", f"{third}@{host}", f"http://{host}/{path}.html")
    return rng.choice(kinds).encode("ascii", "ignore").decode()


def code(rng: random.Random) -> str:
    """Return a line of a program or a shell."""
    a, b, c, d = rng.choices(load_stock().common, k=4)
    number = rng.randint(0, 255)
    return rng.choice(
        (
            f"{a}_{b}({c}={number})",
            f"if ({a} != {number}) {{ {b}[{c}]++; }}",
            f"$ {a} --{b} {c}.txt | {d} > /{a}/{b}",
            f"{a} = {b}[{number}:{number + 7}] # {c}",
            f"#define {a.upper()} 0x{number:02X}",
            f'<{a} {b}="{c}">',
            f"{a}::{b} *{c} = &{a};",
            f"{{'{a}': {number}, '{b}': ~{c}^2}}",
        )
    )
