import time
import pytest, sqlalchemy as sa
from fedcollab.admin import queue as q, partners as acts, status as st
from fedcollab.base.errors import FedcollabError
from fedcollab.federation import partners
from fedcollab.features.members import service, tokens
from tests.rows import *
from fedcollab.federation.models import *
from tests.web import *

def setup(session, state, why=""):
    at = node(); me = home(session, at)
    there = partner(session, at, "p.example")
    session.execute(sa.update(Partner).where(Partner.id==there.id).values(state=state, suspended_for=why))
    return at, there

@pytest.mark.parametrize(("state","why"), [("suspended",""),("blocked",""),("left",""),("applied",""),("suspended","away")])
def test_e(state, why):
    with memory() as session, quick_keys():
        at, there = setup(session, state, why)
        try:
            q.resync(session, at, None, q.Chosen(there.id, "p.example"))
            print("OK")
        except FedcollabError as e:
            print("ERR", e)
        row = session.execute(sa.select(Partner.state, Partner.resync_at).where(Partner.id==there.id)).one()
        print(state, why, "->", row)

def test_m():
    with memory() as session, quick_keys():
        at = node(); me = home(session, at)
        for i in range(300):
            partner(session, at, f"p{i}.example")
        for i in range(2000):
            there = partner(session, at, f"o{i}.example")
            session.execute(sa.update(Partner).where(Partner.id==there.id).values(state="outside"))
        t=time.perf_counter(); found=st.status(session); print("status", time.perf_counter()-t, len(found["partners"]))
        t=time.perf_counter(); q.read(session); print("queue", time.perf_counter()-t)

async def test_f(tmp_path):
    async with site(tmp_path) as made:
        ilse = await made.member("ilse", "admin", "member"); daan = await made.member("daan")
        await made.write(tokens.create, None, "daan", purpose="x", scopes=["write"], days=10)
        print((await daan.get("/"))[1].count("settings/notices"), (await ilse.get("/"))[1].count("settings/notices"))

async def test_g(tmp_path):
    async with site(tmp_path) as made:
        ilse = await made.member("ilse", "admin", "member")
        s = made.stranger()
        for n in range(7):
            form = {"token": await s.token(), "username":"ilse", "password":"wrong wrong wrong", "next":"/groups/x/new", "title":"T", "text":"Many words"}
            status, h, page = await s.ask("POST", "/login", form)
            print(n, status, "Many words" in page, h.get("Retry-After"))
        form["token"]="0"*64
        status, h, page = await s.ask("POST", "/login", form)
        print("stale", status, "Many words" in page)
