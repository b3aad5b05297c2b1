"""Which fault a server shows next: spells of calm, of rough weather, and outages."""

import threading
import time
from random import Random

# Mood: how often, and how many seconds it lasts at most.
MOODS = {"calm": (0.2, 2.0), "rough": (0.6, 3.0), "outage": (0.2, 4.0)}
STALL_SECONDS = (0.5, 3.0)


class Weather:
    """Draws the faults of one server.

    :param seed: the same seed gives the same spells and draws; who meets which fault
        depends on the moment, too
    :param dict rough: stage -> {fault: probability}, for rough weather
    :param dict outage: the same for outages
    :param storm: shared flag; while it is 0 there are no faults at all
    """

    def __init__(self, seed, rough, outage, storm):
        self._random = Random(seed)
        self._tables = {"calm": {}, "rough": rough, "outage": outage}
        self._storm = storm
        self._mood, self._until = "rough", 0.0
        self._lock = threading.Lock()

    def choose(self, stage):
        """Return the fault to show at a stage, or None."""
        with self._lock:
            if not self._storm.value:
                return None
            self._turn()
            faults = self._tables[self._mood].get(stage, {})
            draw = self._random.random()
            for fault, probability in faults.items():
                draw -= probability
                if draw < 0:
                    return fault
            return None

    def stall(self):
        """Do nothing for a while."""
        with self._lock:
            seconds = self._random.uniform(*STALL_SECONDS)
        time.sleep(seconds)

    def toss(self):
        """Return True or False, each as often as the other."""
        with self._lock:
            return self._random.random() < 0.5

    def _turn(self):
        now = time.monotonic()
        if now < self._until:
            return
        weights = [weight for weight, _longest in MOODS.values()]
        [self._mood] = self._random.choices(list(MOODS), weights)
        self._until = now + self._random.uniform(0.5, MOODS[self._mood][1])
