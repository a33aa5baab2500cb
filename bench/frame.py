"""What a row of the table is, and how rows are printed and written down."""

import dataclasses
import json
import statistics


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure of both sides. `reach`: the ratio (ours / theirs) that is aimed at."""

    name: str
    unit: str
    against: str
    reach: str  # ">= 1.5" or "<= 2.5"
    ours: tuple = ()  # one figure a turn
    theirs: tuple = ()

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def reached(self):
        comparison, limit = self.reach.split()
        return self.ratio >= float(limit) if comparison == ">=" else self.ratio <= float(limit)

    def as_json(self):
        return {"name": self.name, "ours": round(statistics.median(self.ours), 3),
                "theirs": round(statistics.median(self.theirs), 3), "unit": self.unit,
                "ratio": round(self.ratio, 3), "reach": self.reach, "against": self.against}


def percentile(values, percent):
    """The smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def take_turns(count, *sides):
    """A B A B: a slow minute of the machine hits both."""
    for turn in range(count):
        for side in sides:
            yield turn, side


def table(rows):
    lines = [("row", "ours", "theirs", "unit", "ratio", "reach", "")]
    for row in rows:
        figures = row.as_json()
        lines.append((row.name, f"{figures['ours']:.1f}", f"{figures['theirs']:.1f}", row.unit,
                      f"{figures['ratio']:.2f}", row.reach, "" if row.reached else "not reached"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")
