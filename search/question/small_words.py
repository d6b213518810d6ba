"""Words so small that a question means nothing by them."""

SMALL_WORDS = frozenset(
    "a an and are as at be by for from have in into is it of on or that the their this to was were which with without und"
    " der die das des den dem von mit".split()
)
