"""Rates: 429 with Retry-After past a person's or a tenant's share, others untouched; guessing a password gets slow."""
import time

from kit import problem
from stand import PASSWORD, Client, Office, email


def burst(client, n):
    return [client.get("/v1/tokens").status_code for _ in range(n)]


def test_a_person_has_a_share(start_server):
    office = Office(start_server(user_rate=5))
    one, other = office("annotator"), office("annotator2")
    answers = burst(one, 40)
    assert 10 <= answers.count(200) <= 25 and answers.count(429) == 40 - answers.count(200)
    refused = problem(one.get("/v1/tokens"), 429, "rate-limited")
    assert "try again in" in refused["detail"] and int(one.get("/v1/tokens").headers["Retry-After"]) >= 1
    assert burst(other, 5) == [200] * 5
    time.sleep(0.5)
    assert one.get("/v1/tokens").status_code == 200


def test_a_tenant_has_a_share(start_server):
    office = Office(start_server(tenant_rate=5, user_rate=0))
    answers = burst(office("annotator"), 20) + burst(office("reviewer"), 20)
    assert answers.count(429) >= 15
    assert burst(office("annotator", "b"), 5) == [200] * 5


def test_guessing_a_password_gets_slow(start_server):
    server = start_server()
    client = Client(server.url)
    wrong = {"email": email("annotator"), "password": "not the password"}
    answers = [client.post("/v1/login", json=wrong).status_code for _ in range(14)]
    assert answers[:10] == [401] * 10 and 429 in answers[10:]
    right = {"email": email("annotator"), "password": PASSWORD}
    assert client.post("/v1/login", json=right).status_code == 429  # nor is it a way to test passwords quicker
    assert client.post("/v1/login", json=right | {"email": email("reviewer")}).status_code == 200
    nobody = {"email": "nobody@nowhere.example", "password": "not the password"}
    assert 429 in [client.post("/v1/login", json=nobody).status_code for _ in range(14)]
    time.sleep(1.2)
    assert client.post("/v1/login", json=right).status_code == 200
