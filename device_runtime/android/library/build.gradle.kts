// A plain Java module, so that an app, an Android library and a server can all take it:
//
//     settings.gradle.kts   include(":mignon"); project(":mignon").projectDir = file("path/to/library")
//     app/build.gradle.kts  dependencies { implementation(project(":mignon")) }
plugins {
    `java-library`
}

group = "mignon"
version = "0.1.0"

repositories {
    mavenCentral() // for the tests alone: the library needs nothing
}

dependencies {
    testImplementation("junit:junit:4.13.2")
}

sourceSets {
    test { java.srcDir("src/tools/java") } // what asks the stored questions
}

java {
    // What Android's tools take at minSdk 24, without desugaring of libraries.
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

tasks.withType<JavaCompile>().configureEach {
    options.encoding = "UTF-8"
    options.release.set(8)
}

tasks.withType<Jar>().configureEach {
    isPreserveFileTimestamps = false
    isReproducibleFileOrder = true
}

tasks.test {
    systemProperty("golden", file("../../../tests/golden")) // of the repository that this folder is part of
}
