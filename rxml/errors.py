"""Every error that rxml raises on purpose.

    RxmlError
    ├── ConcurrentRequestError  (RuntimeError)     a second request while one is waiting
    ├── StreamClosedError       (RuntimeError)     a request after the stream has failed
    ├── BufferOverflowError     (BufferError)      a bounded buffer under the policy "error" is full
    ├── EmptyError              (LookupError)      a value was asked of a stream that had none
    ├── StreamTimeoutError      (TimeoutError)     a limit of `timeout` has passed
    ├── RetryExhaustedError                        a retry budget is spent
    ├── RefusedError                               a policy does not let work begin; which, and when to ask again
    ├── QuorumError                                fewer answered in time than were needed
    ├── StalledError            (TimeoutError)     elements went into a stage and nothing came out
    ├── EscalatedError                             children of a supervision tree, or a service, have failed too often
    ├── PipelineError           (TypeError)        a pipeline that cannot be built
    ├── LateError               (ValueError)       an element came when all its windows had ended
    ├── SchemaError             (ValueError)       rows or columns that do not fit their schema
    │   └── DistributionError                      parameters that make no distribution; names the rows
    ├── TruthError              (TypeError)        a distribution was taken for true or false
    ├── WireError               (ValueError)       bytes that are not a message; names the byte
    ├── ConnectionLost          (ConnectionError)  the other end of a stream is gone
    ├── GapError                                   elements of a remote stream are lost, or may be
    ├── RemoteError                                a stream has failed at the other end; its code and words
    ├── ProtocolError           (ValueError)       the other end broke the rules of a protocol
    ├── FactError               (ValueError)       what is given as a fact is none
    ├── FactLogError                               the log of facts cannot do what it is asked
    │   ├── LogLockedError                         another process writes to it
    │   ├── LogVersionError                        a newer version of rxml has written it
    │   ├── LogCorruptError                        the file is damaged, or is something else
    │   ├── LogReadOnlyError                       the file or its directory cannot be written to
    │   ├── LogFullError                           the disk is full
    │   └── LogClosedError                         it has been closed
    ├── CheckpointError                            a run cannot be saved, or not be gone on with
    │   └── CheckpointVersionError                 what was saved is of another version
    ├── ModelError                                 a model gave what its signature does not promise
    │   ├── UnacceptedError                        what an arm of a supervisor gave is not accepted as an answer
    │   └── WorkerLostError                        a worker died under a batch; its rows are not to blame
    ├── RegistryError                              the registry of models cannot do what it is asked
    │   ├── ArtefactError                          a file is refused as a model; nothing of it has run
    │   ├── AliasMovedError                        somebody else has moved the alias meanwhile
    │   ├── UnknownModelError   (LookupError)      there is no such name, version or alias
    │   └── RegistryFormatError                    its log is damaged, or a newer rxml has written it
    ├── OverloadError                              more is asked than can be answered in time; when to come again
    ├── DeadlineError           (TimeoutError)     there was no answer in the time that the asker gave
    ├── AlreadyRunningError     (RuntimeError)     a source that feeds one run at a time feeds one already
    └── PortTakenError          (OSError)          a server cannot have the port that it wants

Errors of users' functions are never wrapped: the same object comes out, with a note that names the stage.
"""

from __future__ import annotations


class RxmlError(Exception):
    """Root of the tree."""


class ConcurrentRequestError(RxmlError, RuntimeError):
    """`request` was called while another `request` of the same subscription was waiting (rule 1.3)."""


class StreamClosedError(RxmlError, RuntimeError):
    """`request` was called after the subscription had failed (rule 1.7)."""


class BufferOverflowError(RxmlError, BufferError):
    """A producer that cannot be slowed down has filled a bounded buffer whose policy is `error`."""


class EmptyError(RxmlError, LookupError):
    """A value was asked of a stream that ended without one."""


class StreamTimeoutError(RxmlError, TimeoutError):
    """A time limit of a stage has passed; the message names the limit and the stage."""


class RetryExhaustedError(RxmlError):
    """A retry budget is spent; `__cause__` is the last error."""


class RefusedError(RxmlError):
    """A policy does not let work begin, so that what is under way can be finished.

    Attributes:
        policy: which: `breaker`, `bulkhead`, `throttle`, `rate` or `quarantine`.
        retry_after: seconds after which it is worth asking again, or None if that is unknown.
    """

    def __init__(self, policy: str, message: str, retry_after: float | None = None) -> None:
        """Build with the policy, what it says, and the seconds, which are appended to the text."""
        wait = "" if retry_after is None else f" (ask again in {retry_after:.3g} s)"
        super().__init__(f"{policy}: {message}{wait}")
        self.policy = policy
        self.retry_after = retry_after


class QuorumError(RxmlError):
    """Fewer models answered in time than were needed; the message says who did not, and why."""


class StalledError(RxmlError, TimeoutError):
    """Elements went into a stage and nothing came out for too long; the message says what each part of it held."""


class EscalatedError(RxmlError):
    """Something has failed too often to be started anew by its supervisor; `__cause__` is the last failure."""


class PipelineError(RxmlError, TypeError):
    """Stages that cannot stand beside one another; raised when the pipeline is built."""


class SchemaError(RxmlError, ValueError):
    """Rows or columns that do not fit the schema; the message names row, column, and what would fit."""


class LateError(RxmlError, ValueError):
    """An element came behind the watermark, when all its windows had ended."""


class DistributionError(SchemaError):
    """Parameters that make no distribution, or an operation that one does not have; the message names the rows."""


class TruthError(RxmlError, TypeError):
    """The truth of a probability was asked for, as by `if x > 3`; the message says what to write instead."""


class WireError(RxmlError, ValueError):
    """Bytes that are not a valid message.

    Attributes:
        position: offset in bytes of the first byte that could not be taken, or None if unknown.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        """Build with the message and the byte offset, which is appended to the text."""
        super().__init__(message if position is None else f"{message} (at byte {position})")
        self.position = position


class ConnectionLost(RxmlError, ConnectionError):  # noqa: N818 - a state of the world, not a mistake
    """The other end of a remote stream went away before the stream had ended, or could not be reached.

    Attributes:
        retry_after: seconds after which it may be tried again, or None if the other end did not say.
        final: trying again will not help.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, final: bool = False
    ) -> None:
        """Build with the message and what is known of further attempts."""
        super().__init__(message)
        self.retry_after = retry_after
        self.final = final


class GapError(RxmlError):
    """Elements of a remote stream are lost, or may be: the other end has them no more.

    Attributes:
        count: how many; None if nobody knows.
    """

    def __init__(self, message: str, count: int | None = None) -> None:
        """Build with the message and the number of elements."""
        super().__init__(message)
        self.count = count


class RemoteError(RxmlError):
    """A stream has failed at the other end of a connection.

    Attributes:
        code: what happened, for programs.
        retry_after: seconds after which it may be tried again, or None if the other end did not say.
    """

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        """Build with the other end's code and words."""
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.retry_after = retry_after


class ProtocolError(RxmlError, ValueError):
    """The other end of a connection sent what its protocol does not admit."""


class ModelError(RxmlError):
    """A model gave what its signature does not promise, or cannot be used."""


class UnacceptedError(ModelError):
    """An arm of a model supervisor gave what its `accept` says is no answer."""


class WorkerLostError(ModelError):
    """A worker died, or was killed since it hung, while it scored a batch: the rows may be scored elsewhere."""


class RegistryError(RxmlError):
    """The registry of models cannot do what it is asked; what it has is as it was."""


class ArtefactError(RegistryError):
    """A file, or what was stored of a model, is refused; the message says why. Nothing of it has run."""


class AliasMovedError(RegistryError):
    """An alias is not where the one who wants to move it expects it."""


class UnknownModelError(RegistryError, LookupError):
    """There is no such name, version or alias; the message says what there is."""


class RegistryFormatError(RegistryError):
    """The registry's log is damaged, or a newer version of rxml has written it; the message says where."""


class OverloadError(RxmlError):
    """More is asked than can be answered in time.

    Attributes:
        retry_after: seconds after which it may be tried again, by the pace so far.
        reason: which policy has refused it, in a word: `capacity` (as many are on their way as may be), `pace` (an answer
            would come too late), `overload` (another one).
    """

    def __init__(self, message: str, retry_after: float, reason: str = "overload") -> None:
        """Build with the words, the seconds and the policy."""
        super().__init__(message)
        self.retry_after = retry_after
        self.reason = reason


class DeadlineError(RxmlError, TimeoutError):
    """There was no answer in the time that the one who asked had given."""


class FactError(RxmlError, ValueError):
    """What is given as a fact is none; the message names the field, what came and what would be right."""


class FactLogError(RxmlError):
    """The log of facts cannot do what it is asked; what had been committed before is still there."""


class LogLockedError(FactLogError):
    """Another process, or another part of this one, writes to the log; there is one writer at a time."""


class LogVersionError(FactLogError):
    """The file has a format that this version of rxml does not know; the message names both versions."""


class LogCorruptError(FactLogError):
    """The file is damaged, or is no fact log; the message says where."""


class LogReadOnlyError(FactLogError):
    """The file or its directory cannot be written to."""


class LogFullError(FactLogError):
    """There is no room left on the disk; nothing of the chunk was stored."""


class LogClosedError(FactLogError):
    """The log has been closed."""


class CheckpointError(RxmlError):
    """A run cannot be saved, or not be gone on with; the checkpoints that there are stay as they were."""


class CheckpointVersionError(CheckpointError):
    """What was saved is of another version of rxml or of an operator; the message names both versions."""


class AlreadyRunningError(RxmlError, RuntimeError):
    """A source that can feed only one run at a time feeds one already; put `ops.share()` behind it."""


class PortTakenError(RxmlError, OSError):
    """A server cannot have the address and port that it wants; the message names them."""
