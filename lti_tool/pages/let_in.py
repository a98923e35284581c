"""What the store says of a message that was verified and may not come in, as a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager

from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.tool import Tool
from series.store.deployments import note_pending
from series.store.known import DeploymentDisabled, DeploymentPending, PlatformDisabled
from series.store.launch_values import NewArrival


@contextmanager
def refusing(tool: Tool, new: NewArrival, *, return_url: str | None) -> Iterator[None]:
    """Around the transaction that lets `new` in. A deployment that nobody has approved is remembered, in a transaction
    of its own. Raises Refused."""
    deployment = {"deployment_id": new.deployment_id, "return_url": return_url}
    try:
        yield
    except PlatformDisabled as error:
        raise Refused(RefusalCode.PLATFORM_DISABLED, return_url=return_url) from error
    except DeploymentDisabled as error:
        raise Refused(RefusalCode.DEPLOYMENT_DISABLED, **deployment) from error
    except DeploymentPending as error:
        with tool.database.write() as connection:
            note_pending(
                connection,
                platform_id=new.platform_id,
                deployment_id=new.deployment_id,
                course_title=new.context_title,
                now=tool.clock.now(),
            )
        raise Refused(RefusalCode.DEPLOYMENT_PENDING, **deployment) from error
