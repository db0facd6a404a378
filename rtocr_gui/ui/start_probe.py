"""Measures how soon the window appears: imports the program as `__main__` does, then shows it.

`cli.bench.promises` starts it as `python -m rtocr_gui.ui.start_probe window MOMENT`; what is measured is in
`probe`.
"""

from rtocr_gui.__main__ import load

if __name__ == "__main__":
    load()
    from rtocr_gui.ui.probe import measure_window

    measure_window()
