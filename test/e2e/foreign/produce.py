"""Produces loan applications as a program that knows Kafka, Avro and the registry, but nothing of laban: no headers.

Usage: produce.py <brokers> <registry url> <topic> <count>. Prints where each record lies, one JSON line each.
"""

import json
import struct
import sys
import urllib.request
from io import BytesIO

import fastavro
from confluent_kafka import Producer

brokers, registry_url, topic, count = sys.argv[1:5]
with urllib.request.urlopen(f"{registry_url}/subjects/{topic}-value/versions/latest") as answer:
    registered = json.load(answer)
schema = fastavro.parse_schema(json.loads(registered["schema"]))


def application(number):
    return {
        "applicationId": f"python-{number}",
        "purpose": "credit_card",
        "interestRate": 0.11,
        "monthlyInstallment": 250.5,
        "logAnnualIncome": 11.2,
        "debtToIncome": 9.5,
        "fico": 700 + number,
        "creditLineDays": 4000.0,
        "revolvingBalance": 5000.0,
        "revolvingUtilization": 30.0,
        "inquiriesLast6Months": 0,
        "delinquencies2Years": 0,
        "publicRecords": 0,
        "meetsCreditPolicy": True,
    }


def encode(value):
    body = BytesIO()
    fastavro.schemaless_writer(body, schema, value)
    return struct.pack(">BI", 0, registered["id"]) + body.getvalue()


def on_delivery(error, message):
    assert error is None, error
    print(json.dumps({"partition": message.partition(), "offset": message.offset()}))


producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True})
for number in range(int(count)):
    producer.produce(topic, key=f"applicant-{number}", value=encode(application(number)), on_delivery=on_delivery)
assert producer.flush(30) == 0, "records were not acknowledged"
