"""Buffers on the devices, single runs of an executable, and sessions of many steps."""
