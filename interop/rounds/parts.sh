# Parts of interop/run: published resources go round and come back as they were.

# The examples that HL7 publishes with each release.
prepare_examples() {
    fresh interop/rounds/node_modules/ready interop/rounds/package-lock.json && return
    need npm npm
    npm ci --prefix interop/rounds --no-audit --no-fund --loglevel=error
    touch interop/rounds/node_modules/ready
}

# People who do not exist, with everything a health system would know of them: always the same ones.
prepare_population() {
    local people="$built/population" synthea="$built/synthea"
    fresh "$people/ready" interop/rounds/pom.xml interop/rounds/parts.sh && return
    need javac default-jdk-headless
    need mvn maven
    mvn -q -B -ntp --strict-checksums -f interop/rounds package
    tr ':' '\n' <"$synthea/classpath" | grep '/synthea-3.3.0.jar$' | xargs cat | sha256sum --check --quiet interop/rounds/synthea.sha256
    rm -rf "$people"
    java -Xmx2g -cp "$(cat "$synthea/classpath")" App -s 20260101 -cs 20260101 -p 20 -r 20260101 -e 20260101 \
        --generate.thread_pool_size=1 --exporter.baseDirectory="$people" --exporter.years_of_history=10 \
        --exporter.fhir.export=true --exporter.fhir_stu3.export=true --exporter.hospital.fhir_stu3.export=true \
        --exporter.practitioner.fhir_stu3.export=true >"$synthea/log"
    touch "$people/ready"
}

send_round() {
    need python3 python3
    python3 -B interop/rounds/main.py "$base" "$@"
}

# Every kind of resource, of the many alike some; and their XML, compared with another writer's.
run_rounds() {
    prepare_examples
    prepare_java
    local examples=interop/rounds/node_modules failed=0
    rm -rf "$built/rounds"
    send_round --every 100 --keep "$built/rounds" "r4:$examples/hl7.fhir.r4.examples" "stu3:$examples/hl7.fhir.r3.examples" || failed=1
    java_main liaison.rounds.SameXml "$built/rounds" || failed=1
    return "$failed"
}

# All of them, and a small town.
run_rounds-all() {
    prepare_examples
    prepare_population
    local examples=interop/rounds/node_modules people="$built/population" failed=0
    send_round "r4:$examples/hl7.fhir.r4.examples" "stu3:$examples/hl7.fhir.r3.examples" || failed=1
    send_round --entries "r4:$people/fhir" "stu3:$people/fhir_stu3" || failed=1
    return "$failed"
}
