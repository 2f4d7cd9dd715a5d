# Where events go: a broker of our own (one KRaft node from the jars of Maven Central), somebody else's, or files. Sourced by ./run.

kafka_first_port=19092

kafka_mark() { printf '%s/kafka/server.properties' "$var"; }

kafka_port() { sed -n 's|^listeners=PLAINTEXT://127.0.0.1:\([0-9]*\),.*|\1|p' "$(kafka_mark)" 2>/dev/null; }

# True when events go to the broker of our own.
kafka_ours() { [ "$(setting sink)" = "kafka:127.0.0.1:$(kafka_port)" ]; }

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# `wanted`: local, file, host:port, or empty for what the settings say (at first: local if it can be had).
kafka_choose() {
    local wanted=$1 now
    now=$(setting sink)
    case $wanted in
    "") [ -n "$now" ] || wanted=try ;;
    file) setting_put sink "file:$var/stream" ;;
    local) ;;
    *) setting_put sink "kafka:$wanted" ;;
    esac
    if [ "$wanted" = try ] || [ "$wanted" = local ]; then
        if kafka_get; then
            setting_put sink "kafka:127.0.0.1:$(kafka_port)"
        elif [ "$wanted" = local ]; then
            die "Kafka cannot be had here; see $fetched/kafka.log"
        else
            setting_put sink "file:$var/stream"
        fi
    fi
    if kafka_ours; then kafka_start; else kafka_stop; fi
}

kafka_java() { as_user java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$var/kafka/lib/*" "$@"; }

# Two installations on one machine must not meet: the first free pair of ports is kept.
kafka_format() {
    local port=$kafka_first_port id
    [ ! -f "$var/kafka/server.properties" ] || return 0
    while port_open "$port" || port_open $((port + 1)); do port=$((port + 2)); done
    id=$(kafka_java kafka.tools.StorageTool random-uuid 2>/dev/null) &&
        as_user rm -rf "$var/kafka/data" &&
        sed "s|@PORT@|$port|; s|@CONTROLLER@|$((port + 1))|; s|@DATA@|$var/kafka/data|" \
            "$root/deploy/kafka/server.properties" | as_user tee "$var/kafka/server.properties.new" >/dev/null &&
        kafka_java kafka.tools.StorageTool format -t "$id" -c "$var/kafka/server.properties.new" --standalone >/dev/null &&
        as_user mv "$var/kafka/server.properties.new" "$var/kafka/server.properties"
}

kafka_get() {
    fetch kafka "Apache Kafka from Maven Central (once, 55 MB)" && mirror "$fetched/kafka" "$var/kafka/lib" &&
        kafka_format >>"$fetched/kafka.log" 2>&1
}

kafka_start() {
    ! process_alive kafka "$(kafka_mark)" || return 0
    process_spawn kafka "$(kafka_mark)" java -Xms256m -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
        -cp "$var/kafka/lib/*" kafka.Kafka "$var/kafka/server.properties"
    { wait_for 60 port_open "$(kafka_port)" && process_alive kafka "$(kafka_mark)"; } || die "Kafka did not start; see $var/log/kafka.log"
}

kafka_stop() { process_stop kafka "$(kafka_mark)" 30; }
