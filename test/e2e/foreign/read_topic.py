"""Reads a topic to its end and prints one JSON line per record; schemas come from the registry by the id in the record.

Usage: read_topic.py <brokers> <registry url> <topic>
"""

import json
import struct
import sys
import urllib.request
import uuid
from io import BytesIO

import fastavro
from confluent_kafka import Consumer, TopicPartition

brokers, registry_url, topic = sys.argv[1:4]
schemas = {}


def schema_of(schema_id):
    if schema_id not in schemas:
        with urllib.request.urlopen(f"{registry_url}/schemas/ids/{schema_id}") as answer:
            schemas[schema_id] = fastavro.parse_schema(json.loads(json.load(answer)["schema"]))
    return schemas[schema_id]


def decode(value):
    magic, schema_id = struct.unpack(">BI", value[:5])
    assert magic == 0, f"magic byte {magic}"
    body = BytesIO(value[5:])
    decoded = fastavro.schemaless_reader(body, schema_of(schema_id), None)
    assert body.read() == b"", "bytes are left over"
    return decoded


consumer = Consumer(
    {"bootstrap.servers": brokers, "group.id": f"reader-{uuid.uuid4()}", "enable.auto.commit": False}
)
left = {}
for partition in consumer.list_topics(topic).topics[topic].partitions:
    first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition))
    if end > first:
        left[partition] = end
consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
while left:
    message = consumer.poll(10)
    assert message is not None, f"no record for 10 s, partitions left: {sorted(left)}"
    assert message.error() is None, message.error()
    headers = {name: value.decode() for name, value in message.headers() or []}
    print(json.dumps({"key": message.key().decode(), "headers": headers, "value": decode(message.value())}))
    if message.offset() + 1 >= left.get(message.partition(), 0):
        left.pop(message.partition(), None)
consumer.close()
