//! A file is served by one process.

use liaison_tests::{Launch, Server};

async fn a_second_is_refused(server: &Server) {
    let second = Server::try_launch(Launch::on(server.store())).await;
    let refused = second.err().expect("it is refused");
    assert_eq!(refused.status, Some(1));
    assert!(refused.said.contains("another process"), "{}", refused.said);
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_refused() {
    let server = Server::start_on_file().await;
    a_second_is_refused(&server).await;
    // One that does nothing is there all the same.
    server.signal("STOP").await;
    a_second_is_refused(&server).await;
    server.signal("CONT").await;
    assert_eq!(server.site().get("readyz").await.is(200).text(), "ready\n");
}
