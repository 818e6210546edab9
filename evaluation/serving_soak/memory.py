"""Whether the memory of a process grows: its slope, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

_BATCHES = 10
_FEWEST = 3  # samples of a batch
_GROWN = 0.05  # of the memory at first: less is what an allocator does


@dataclass(frozen=True, slots=True)
class Slope:
    """Megabytes a minute with their 95 % interval, over so many minutes, from so many megabytes."""

    value: float
    low: float
    high: float
    minutes: float
    first: float

    @property
    def grows(self) -> bool:
        """Surely, and by more than a twentieth over the time that was looked at."""
        return self.low * self.minutes > _GROWN * self.first


def slope(samples: Sequence[tuple[float, float]]) -> Slope | None:
    """Of megabytes by seconds; None of too few to tell.

    The line of least squares through the means of ten batches: samples one after the other are
    alike, and an interval by each of them would be too narrow. Law, "Simulation Modeling and
    Analysis", 2015, 9.5.3 (batch means).
    """
    from scipy.stats import linregress, t  # every command would take half as long again to start

    size = len(samples) // _BATCHES
    if size < _FEWEST:
        return None
    ordered = samples[-size * _BATCHES :]
    batches = [ordered[at : at + size] for at in range(0, len(ordered), size)]
    minutes = [fmean(moment for moment, _ in batch) / 60 for batch in batches]
    megabytes = [fmean(value for _, value in batch) for batch in batches]
    line = linregress(minutes, megabytes)
    reach = float(t.ppf(0.975, _BATCHES - 2)) * float(line.stderr)
    value = float(line.slope)
    lasted = (ordered[-1][0] - ordered[0][0]) / 60
    return Slope(value, value - reach, value + reach, lasted, megabytes[0])
