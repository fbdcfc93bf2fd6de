"""Checkpoint files: what they hold (`open.py`) and how their tensors get onto the devices (`load.py`)."""
