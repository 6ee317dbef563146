import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

/**
 * Reads and writes record batches with Kafka's own classes, for tests of other implementations. Arguments: a file with
 * {"read": [bytes], "write": [{compression, baseOffset, producerId, producerEpoch, sequence, records}]}, and the file to put
 * {"read": [[batch]], "write": [bytes]} into. Bytes are base64, null stands for none.
 */
public final class RecordBatches {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FIRST_BUFFER_BYTES = 1 << 16;
    private static final int NO_LEADER_EPOCH = -1;

    private RecordBatches() { }

    public static void main(String[] arguments) throws IOException {
        JsonNode asked = JSON.readTree(new File(arguments[0]));
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode read = answer.putArray("read");
        for (JsonNode bytes : asked.get("read")) read.add(read(ByteBuffer.wrap(bytesOf(bytes))));
        ArrayNode written = answer.putArray("write");
        for (JsonNode batch : asked.get("write")) written.add(base64(write(batch)));
        JSON.writeValue(new File(arguments[1]), answer);
    }

    private static ArrayNode read(ByteBuffer bytes) {
        ArrayNode batches = JSON.createArrayNode();
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
            ObjectNode node = batches.addObject();
            node.put("isValid", batch.isValid());
            if (!batch.isValid()) continue;
            node.put("baseOffset", batch.baseOffset());
            node.put("lastOffset", batch.lastOffset());
            node.put("maxTimestamp", batch.maxTimestamp());
            node.put("producerId", String.valueOf(batch.producerId()));
            node.put("producerEpoch", batch.producerEpoch());
            node.put("sequence", batch.baseSequence());
            ArrayNode records = node.putArray("records");
            for (Record record : batch) {
                record.ensureValid();
                records.add(read(record));
            }
        }
        return batches;
    }

    private static ObjectNode read(Record record) {
        ObjectNode node = JSON.createObjectNode();
        node.put("offset", record.offset());
        node.put("timestamp", record.timestamp());
        node.put("key", base64(record.key()));
        node.put("value", base64(record.value()));
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers()) {
            byte[] value = header.value();
            headers.addArray().add(header.key()).add(value == null ? null : base64(ByteBuffer.wrap(value)));
        }
        return node;
    }

    private static ByteBuffer write(JsonNode batch) {
        var builder = MemoryRecords.builder(
            ByteBuffer.allocate(FIRST_BUFFER_BYTES), RecordBatch.MAGIC_VALUE_V2,
            Compression.of(batch.get("compression").asText()).build(), TimestampType.CREATE_TIME,
            batch.get("baseOffset").asLong(), RecordBatch.NO_TIMESTAMP,
            Long.parseLong(batch.get("producerId").asText()), (short) batch.get("producerEpoch").asInt(),
            batch.get("sequence").asInt(), false, NO_LEADER_EPOCH);
        for (JsonNode record : batch.get("records")) {
            List<Header> headers = new ArrayList<>();
            for (JsonNode header : record.get("headers")) {
                headers.add(new RecordHeader(header.get(0).asText(), bytesOf(header.get(1))));
            }
            builder.append(record.get("timestamp").asLong(), bytesOf(record.get("key")), bytesOf(record.get("value")),
                headers.toArray(new Header[0]));
        }
        return builder.build().buffer();
    }

    private static byte[] bytesOf(JsonNode node) {
        return node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }

    private static String base64(ByteBuffer bytes) {
        if (bytes == null) return null;
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return Base64.getEncoder().encodeToString(copy);
    }
}
