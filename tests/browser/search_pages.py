"""Lists the pages of search: how to ask, what is found in several scripts, filters, nothing, a name that was meant, too long a question."""

from .page import Page

TEMPLATE = "searching/search.html"
SEARCH_PAGES = (
    Page("search", "/search", TEMPLATE),
    Page("search-public", "/search", TEMPLATE, ""),
    Page("search-found", "/search?q=passport*", TEMPLATE),
    Page("search-arabic", "/search?q=المقابلة", TEMPLATE),
    Page("search-filtered", "/search?q=the&kind=post&language=en", TEMPLATE),
    Page("search-library", "/search?kind=person&kind=organisation&kind=group", TEMPLATE),
    Page("search-none", "/search?q=nowhere+at+all", TEMPLATE),
    Page("search-meant", "/search?q=Meridan+Outreech", TEMPLATE),
    Page("search-error", "/search?q=" + "a" * 201, TEMPLATE, status=422),
)
