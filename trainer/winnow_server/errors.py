"""What can be wrong with a request: one error, with the HTTP status that says whose fault it is.

Who asks other servers has one more: that one does not answer. What is wrong with the model itself is
`winnow_runtime.errors.ModelError`. Every message is a sentence for the person who sent the request.
"""

from __future__ import annotations

from http import HTTPStatus


class RequestError(Exception):
    """A request is answered with a status and a sentence."""

    def __init__(
        self,
        message: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        *,
        ends_connection: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.ends_connection = ends_connection
        """Whether what still comes of the request is not to be taken for the next one."""


class NoAnswerError(Exception):
    """A server that was asked does not answer; it may do so later."""
