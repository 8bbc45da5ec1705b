"""One of several workers that look after what is due, as a process of its own."""

import django

if __name__ == "__main__":
    django.setup()
    from bench.due import sweep_windows

    sweep_windows()
