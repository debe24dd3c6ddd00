import unittest

from greeting import greeting


class Greeting(unittest.TestCase):
    def test_every_hour_has_its_greeting(self) -> None:
        for hour, text in [(4, "Good evening"), (5, "Good morning"), (12, "Good afternoon"), (18, "Good evening")]:
            self.assertEqual(greeting(hour), text, hour)


if __name__ == "__main__":
    unittest.main()
