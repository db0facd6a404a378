"""The published tasks, by name."""

from rtocr_gui.ocr.reading import TASKS

MARKDOWN, TEXT, OCR, *_ = TASKS
