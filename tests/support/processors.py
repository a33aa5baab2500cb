"""Several processors of one stack, as an operator sees them: who owns how many partitions."""

from . import processes

PARTITIONS = 12  # kafka/topics.json


class Processors:
    def __init__(self, stack):
        self.stack = stack

    def start(self, *instances, settings=None):
        for instance in instances:
            self.stack.start("processor", instance, settings)

    def names(self):
        return [name for name in self.stack.running if name.startswith("processor")]

    def shares(self, instances=None):
        """Instance -> how many partitions it owns and knows where to start in; of those that answer."""
        found = {}
        for instance in instances or self.names():
            try:
                found[instance] = int(self.stack.metric(instance, "thumb_processor_partitions"))
            except OSError:
                continue
        return found

    def wait_shared_by(self, instances, seconds):
        """All partitions are in the hands of these, as evenly as can be."""
        fair = PARTITIONS // len(instances)
        evenly = sorted([fair + 1] * (PARTITIONS % len(instances)) +
                        [fair] * (len(instances) - PARTITIONS % len(instances)))

        def shared():
            self.stack.require_alive()
            return sorted(self.shares(instances).values()) == evenly

        processes.wait_until(shared, seconds, lambda: (
            f"{instances} share all partitions: {self.shares()}\n{self.stack.tails()}"))

    def wait_taken_over_by(self, instances, seconds):
        """All partitions are in the hands of these, however many each has."""
        def taken():
            self.stack.require_alive()
            return sum(self.shares(instances).values()) == PARTITIONS

        processes.wait_until(taken, seconds, lambda: (
            f"{instances} own all partitions: {self.shares()}\n{self.stack.tails()}"))
