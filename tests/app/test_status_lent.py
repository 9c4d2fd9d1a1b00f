"""What operators are shown of the reserve."""

from tests.core.small_cloud import SmallCloud, small_site

from ninelives.app.views import status
from ninelives.core.cluster import Control, Loan, LoanStage
from ninelives.core.model import HostId


def test_status_names_who_is_out_of_the_reserve_and_why() -> None:
    loan = Loan(HostId("c3"), HostId("c1"), LoanStage.SERVING, 0.0)
    cloud = SmallCloud(site=small_site(is_reserved=True), control=Control(loans=(loan,))).started()

    lent = status(cloud.cluster, cloud.now)["lent"]

    assert lent == [{"host": "c3", "need": "c1", "stage": "serving"}]
